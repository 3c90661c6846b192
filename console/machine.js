// Draws a state machine from its definition, coloured by what its execution's history tells.
import { svg } from "./dom.js";

const WIDTH = 132;
const HEIGHT = 44;
const GAP = 26;
const ROW = 92;

function edges(states) {
  const all = [];
  for (const [from, state] of Object.entries(states)) {
    const to = (target, kind) => target in states && all.push({ from, to: target, kind });
    if (state.Next) to(state.Next, "next");
    for (const choice of state.Choices ?? []) to(choice.Next, "next");
    if (state.Default) to(state.Default, "next");
    for (const caught of state.Catch ?? []) to(caught.Next, "catch");
  }
  const seen = new Set();
  return all.filter(({ from, to }) => !seen.has(`${from}>${to}`) && seen.add(`${from}>${to}`));
}

/** Rows by the longest way from the start; an edge back to a state on the way there does not count. */
function rows(definition, all) {
  const row = {};
  const onTheWay = new Set();
  const back = new Set();
  const visited = new Set();
  const visit = (name) => {
    visited.add(name);
    onTheWay.add(name);
    for (const edge of all.filter(({ from }) => from === name)) {
      if (onTheWay.has(edge.to)) back.add(edge);
      else if (!visited.has(edge.to)) visit(edge.to);
    }
    onTheWay.delete(name);
  };
  visit(definition.StartAt);
  const names = Object.keys(definition.States);
  names.forEach((name) => (row[name] = 0));
  for (let round = 0; round < names.length; round += 1) {
    for (const edge of all) {
      if (!back.has(edge)) row[edge.to] = Math.min(names.length, Math.max(row[edge.to], row[edge.from] + 1));
    }
  }
  return row;
}

/** Where each state stands: each row in the order of what leads to it, the ordinary way before what is caught. */
function placed(definition, all) {
  const row = rows(definition, all);
  const lines = [];
  for (const name of Object.keys(definition.States)) (lines[row[name]] ??= []).push(name);
  const used = lines.filter(Boolean);
  const widest = Math.max(...used.map((line) => line.length));
  const width = widest * (WIDTH + GAP) + GAP;
  const at = {};
  used.forEach((line, number) => {
    const pull = (name) => {
      const from = all.filter((edge) => edge.to === name && at[edge.from]);
      const places = from.map((edge) => at[edge.from].x + (edge.kind === "catch" ? WIDTH : 0));
      return places.length ? places.reduce((sum, x) => sum + x, 0) / places.length : width / 2;
    };
    line.sort((a, b) => pull(a) - pull(b));
    const free = width - line.length * (WIDTH + GAP) + GAP;
    line.forEach((name, index) => (at[name] = { x: free / 2 + index * (WIDTH + GAP), y: GAP + number * ROW }));
  });
  return { at, width, height: used.length * ROW + GAP - (ROW - HEIGHT) + GAP };
}

function curve(from, to) {
  const [x1, x2] = [from.x + WIDTH / 2, to.x + WIDTH / 2];
  if (to.y > from.y) {
    const [y1, y2] = [from.y + HEIGHT, to.y - 3];
    const bend = Math.min(50, (y2 - y1) / 2);
    return `M${x1} ${y1}C${x1} ${y1 + bend} ${x2} ${y2 - bend} ${x2} ${y2}`;
  }
  // Back up, or across: around the side of the two.
  const right = to.x >= from.x;
  const [sx, ex] = right ? [from.x + WIDTH, to.x + WIDTH + 3] : [from.x, to.x - 3];
  const out = (right ? Math.max(sx, ex) : Math.min(sx, ex)) + (right ? GAP : -GAP);
  return `M${sx} ${from.y + HEIGHT / 2}C${out} ${from.y + HEIGHT / 2} ${out} ${to.y + HEIGHT / 2} ${ex} ${to.y + HEIGHT / 2}`;
}

const WORDS = { waiting: "not entered", running: "running", retried: "caught", done: "done", failed: "failed" };

/** What the history says of each state, and which ways were taken. */
export function told(events, status) {
  const of = {};
  const ways = new Set();
  let last = null;
  for (const event of events) {
    const entered = event.stateEnteredEventDetails;
    const exited = event.stateExitedEventDetails;
    if (entered) {
      const state = (of[entered.name] ??= { times: 0, tries: 0 });
      state.times += 1;
      state.now = event.type.startsWith("Fail") ? "failed" : "running";
      if (last) ways.add(`${last}>${entered.name}`);
      last = entered.name;
    } else if (exited && of[exited.name]) {
      of[exited.name].now = of[exited.name].broke ? "retried" : "done";
      of[exited.name].broke = false;
    } else if (/^(Task(Failed|TimedOut|StartFailed|SubmitFailed)|MapRunFailed|MapRunAborted)$/.test(event.type) && of[last]) {
      of[last].tries += 1;
      of[last].broke = true;
    } else if (/^(TaskSucceeded|MapRunSucceeded)$/.test(event.type) && of[last]) {
      of[last].broke = false;
    } else if (/^Execution(Failed|TimedOut|Aborted)$/.test(event.type) && of[last] && of[last].now === "running") {
      of[last].now = "failed";
    } else if (event.type === "ExecutionRedriven" && of[last]) {
      of[last].now = "running";
    }
  }
  if (status && status !== "RUNNING" && last && of[last].now === "running") {
    of[last].now = status === "SUCCEEDED" ? "done" : "failed";
  }
  return { of, ways };
}

/** The drawing. */
export function draw(definition, events, status) {
  const all = edges(definition.States);
  const { at, width, height } = placed(definition, all);
  const { of, ways } = told(events, status);
  const picture = svg("svg", { width, height, viewBox: `0 0 ${width} ${height}` });
  const tip = svg("marker", { id: "tip", viewBox: "0 0 8 8", refX: 6, refY: 4, markerWidth: 7, markerHeight: 7, orient: "auto" },
    svg("path", { d: "M0 0L8 4L0 8z" }));
  picture.append(svg("defs", {}, tip));
  for (const { from, to, kind } of all) {
    const taken = ways.has(`${from}>${to}`) ? " taken" : "";
    picture.append(svg("path", { class: kind + taken, d: curve(at[from], at[to]), "marker-end": "url(#tip)" }));
  }
  for (const [name, { x, y }] of Object.entries(at)) {
    const state = of[name] ?? { now: "waiting", times: 0, tries: 0 };
    const type = definition.States[name].Type;
    let word = state.times ? WORDS[state.now] : type;
    if (state.times > 1) word += `, ${state.times} times`;
    if (state.tries) word += `, ${state.tries} failed`;
    const label = `${name}, ${type}: ${state.times ? word : "not entered"}`;
    picture.append(svg("g", { class: state.now, role: "img", "aria-label": label, "data-state": name, "data-now": state.now },
      svg("title", {}, definition.States[name].Comment ?? label),
      svg("rect", { x, y, width: WIDTH, height: HEIGHT, rx: type === "Choice" ? 20 : 7 }),
      svg("text", { x: x + WIDTH / 2, y: y + 19 }, name),
      svg("text", { class: "sub", x: x + WIDTH / 2, y: y + 35 }, word)));
  }
  return picture;
}
