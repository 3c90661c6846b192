// The events of an execution: read once, new ones as they come; filtered, and opened one by one.
import { get } from "./api.js";
import { byId, clock, count, el, opened, say } from "./dom.js";

const SHOWN = 200;

export class History {
  constructor(arn) {
    this.arn = arn;
    this.events = [];
  }

  /** Reads what is new, from the newest back to what is known. Tells whether there was anything. */
  async refresh() {
    const last = this.events.at(-1)?.id ?? 0;
    let found = [];
    let cursor = null;
    do {
      const page = await get("/api/history", { arn: this.arn, order: "newest", limit: last ? 100 : 1_000, cursor });
      found = found.concat(page.events);
      cursor = page.events.some((event) => event.id <= last) ? null : page.nextToken;
    } while (cursor);
    found = found.filter((event) => event.id > last).reverse();
    this.events.push(...found);
    return found.length > 0;
  }
}

/** The state an event belongs to, and what went wrong. */
function words(event) {
  const details = Object.values(event).find((value) => value && typeof value === "object") ?? {};
  return { name: details.name ?? "", error: details.error ?? "" };
}

/** Each event with the state that it happened in. */
function withStates(events) {
  let state = "";
  return events.map((event) => {
    const { name, error } = words(event);
    if (event.type.endsWith("StateEntered")) state = name;
    return { event, state: event.type.startsWith("Execution") ? "" : state, error };
  });
}

export class EventList {
  constructor() {
    this.limit = SHOWN;
    for (const id of ["history-filter", "history-newest"]) {
      byId(id).addEventListener("input", () => {
        this.limit = SHOWN;
        this.draw(true);
      });
    }
    byId("more-events").addEventListener("click", () => {
      this.limit += SHOWN;
      this.draw(true);
    });
  }

  /** Rows that stay are kept as they are: opened ones stay open. */
  show(history, fresh) {
    const other = this.history !== history;
    this.history = history;
    if (other) this.limit = SHOWN;
    if (other || fresh) this.draw(other);
  }

  draw(whole) {
    if (!this.history) return;
    const wanted = byId("history-filter").value.trim().toLowerCase();
    const rows = withStates(this.history.events);
    const found = rows.filter(({ event, state, error }) => `${event.type} ${state} ${error}`.toLowerCase().includes(wanted));
    if (byId("history-newest").checked) found.reverse();
    const place = byId("events");
    const there = new Map(whole ? [] : [...place.children].map((row) => [row.dataset.id, row]));
    const shown = found.slice(0, this.limit);
    place.replaceChildren(...shown.map((row) => there.get(String(row.event.id)) ?? line(row)));
    byId("more-events").hidden = found.length <= this.limit;
    say(byId("history-count"), wanted ? `${count(found.length)} of ${count(rows.length)} events` : `${count(rows.length)} events`);
  }
}

function line({ event, state, error }) {
  const bad = /Failed|TimedOut|Aborted/.test(event.type) ? "bad" : null;
  const summary = el("summary", { "data-id": event.id },
    el("time", {}, clock(event.timestamp)),
    el("span", { class: bad }, event.type),
    el("span", {}, [state, error].filter(Boolean).join(": ")));
  const row = el("details", { class: "event", "data-id": event.id }, summary);
  row.addEventListener("toggle", () => {
    if (row.open && row.children.length === 1) {
      row.append(el("pre", { tabindex: 0, "aria-label": `Event ${event.id} as JSON` }, JSON.stringify(opened(event), null, 2)));
    }
  });
  return row;
}
