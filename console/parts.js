// A Map Run as a grid: one square a child. On a canvas, so that ten thousand of them cost no more than a picture.
import { get } from "./api.js";
import { bytes, byId, count, el, nameOf, say, seconds } from "./dom.js";

export const STATES = ["waiting", "running", "retried", "done", "failed"];

const PAGE = 1_000;
/** Rounds between two looks at all of the children where they are more than a page. */
const WHOLE = 5;
/** Children looked into at once, as the server takes. */
const LOOKS = 50;

/** The children of a Map Run, as far as they are known. */
export class Children {
  constructor(mapRunArn) {
    this.mapRunArn = mapRunArn;
    this.known = new Map();
    this.details = new Map();
    this.total = 0;
    this.round = 0;
    this.order = [];
  }

  /** Looks again. `run` is the Map Run as it is described now. */
  async refresh(run) {
    this.total = run.executionCounts.total;
    const whole = this.total <= PAGE || this.round % WHOLE === 0 || run.status !== "RUNNING";
    if (!this.settled) {
      await this.list(whole);
      this.settled = run.status !== "RUNNING" && ![...this.known.values()].some((child) => child.status === "RUNNING");
    } else if (run.status === "RUNNING") {
      this.settled = false;
    }
    this.round += 1;
    await this.look();
    this.sort();
  }

  async list(whole) {
    let cursor = null;
    do {
      const page = await get("/api/children", { mapRun: this.mapRunArn, limit: PAGE, cursor });
      for (const child of page.executions) this.known.set(child.executionArn, child);
      cursor = page.nextToken;
    } while (cursor && whole);
  }

  /** Into some of those that work or have ended since: which parts, how often tried. */
  async look() {
    const due = (child) => {
      const seen = this.details.get(child.executionArn);
      return !seen || seen.status !== child.status || seen.redriveCount !== (child.redriveCount ?? 0) || child.status === "RUNNING";
    };
    const some = [...this.known.values()].filter(due).slice(0, LOOKS);
    if (!some.length) return;
    const { children } = await get("/api/parts", { arn: some.map((child) => child.executionArn) });
    for (const child of children) this.details.set(child.executionArn, child);
  }

  sort() {
    const first = (child) => firstPart(this.details.get(child.executionArn)?.asked) ?? Infinity;
    this.order = [...this.known.values()].map((child) => [first(child), child]);
    this.order.sort(([a, one], [b, other]) => (a === b ? one.startDate - other.startDate : a - b));
    this.order = this.order.map(([, child]) => child);
  }

  state(child) {
    const seen = this.details.get(child.executionArn);
    const again = seen && (seen.failures.length > 0 || (seen.parts ?? []).some((part) => part.attempts > 1));
    if (child.status === "SUCCEEDED") return again ? "retried" : "done";
    if (child.status === "RUNNING") return again ? "retried" : "running";
    return "failed";
  }

  counts() {
    const counts = Object.fromEntries(STATES.map((state) => [state, 0]));
    for (const child of this.order) counts[this.state(child)] += 1;
    counts.waiting = Math.max(0, this.total - this.order.length);
    return counts;
  }
}

/** The first number of a set of parts, `"1-4,9"` or [1, [3, 5]], however it is written. */
function firstPart(asked) {
  const found = /\d+/.exec(JSON.stringify(asked ?? null));
  return found ? Number(found[0]) : null;
}

/** Draws them, and lets one be chosen. */
export class Grid {
  constructor() {
    this.canvas = byId("grid");
    this.chosen = -1;
    this.canvas.addEventListener("click", (event) => this.at(event.offsetX, event.offsetY));
    this.canvas.addEventListener("keydown", (event) => this.key(event));
    new ResizeObserver(() => this.draw()).observe(this.canvas.parentElement);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
  }

  show(children) {
    if (this.children !== children) this.choose(-1);
    this.children = children;
    const counts = children.counts();
    const legend = STATES.map((state) => el("li", { "data-count": state }, el("i", { class: `key ${state}` }), `${state} ${count(counts[state])}`));
    byId("parts-legend").replaceChildren(...legend);
    const words = STATES.map((state) => `${counts[state]} ${state}`).join(", ");
    this.canvas.setAttribute("aria-label", `Grid of ${children.total} children: ${words}`);
    this.draw();
    this.tell();
  }

  /** Squares as large as fit well: few are 22 pixels wide, ten thousand 6. */
  measure() {
    const width = this.canvas.parentElement.clientWidth;
    const all = Math.max(this.children.total, this.children.order.length, 1);
    const size = Math.max(6, Math.min(22, Math.floor(Math.sqrt((width * 260) / all))));
    const columns = Math.max(1, Math.floor(width / size));
    return { width, all, size, columns, height: Math.ceil(all / columns) * size };
  }

  draw() {
    if (!this.children || !this.canvas.parentElement.clientWidth) return;
    const { width, all, size, columns, height } = this.measure();
    const scale = devicePixelRatio || 1;
    this.canvas.width = width * scale;
    this.canvas.height = height * scale;
    this.canvas.style.height = `${height}px`;
    const context = this.canvas.getContext("2d");
    context.scale(scale, scale);
    const style = getComputedStyle(document.documentElement);
    const colours = Object.fromEntries(STATES.map((state) => [state, style.getPropertyValue(`--${state}`)]));
    const gap = size > 8 ? 2 : 1;
    for (let index = 0; index < all; index += 1) {
      const child = this.children.order[index];
      context.fillStyle = colours[child ? this.children.state(child) : "waiting"];
      context.fillRect((index % columns) * size, Math.floor(index / columns) * size, size - gap, size - gap);
    }
    if (this.chosen >= 0) {
      context.strokeStyle = style.getPropertyValue("--ink");
      context.lineWidth = 2;
      context.strokeRect((this.chosen % columns) * size, Math.floor(this.chosen / columns) * size, size - gap, size - gap);
    }
  }

  at(x, y) {
    const { size, columns, all } = this.measure();
    const index = Math.floor(y / size) * columns + Math.floor(x / size);
    if (index < all) this.choose(index);
  }

  key(event) {
    if (!this.children) return;
    const { columns, all } = this.measure();
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns, Home: -all, End: all }[event.key];
    if (!step) return;
    event.preventDefault();
    this.choose(Math.max(0, Math.min(all - 1, this.chosen + step)));
  }

  choose(index) {
    this.chosen = index;
    this.draw();
    this.tell();
  }

  tell() {
    const place = byId("child");
    if (this.chosen < 0 || !this.children) return place.replaceChildren();
    const child = this.children.order[this.chosen];
    if (!child) return say(place, "Waits for its turn.");
    const seen = this.children.details.get(child.executionArn);
    const words = [`Child ${nameOf(child.executionArn)}: ${this.children.state(child)}`];
    if (seen?.asked != null) words.push(`parts ${typeof seen.asked === "string" ? seen.asked : JSON.stringify(seen.asked)}`);
    if (seen?.parts) words.push(bytes(seen.parts.reduce((sum, part) => sum + part.size, 0)));
    if (child.stopDate) words.push(seconds(child.stopDate - child.startDate));
    if (seen?.failures.length) words.push(`tried again after ${seen.failures.join(", ")}`);
    if (seen?.error) words.push(`${seen.error}: ${seen.cause ?? ""}`);
    say(place, `${words.join("; ")}.`);
  }
}
