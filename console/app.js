// The page: which execution is chosen, what is shown of it, and what its buttons do.
import { get, poll, post } from "./api.js";
import { bytes, byId, count, el, moment, nameOf, opened, say, seconds } from "./dom.js";
import { EventList, History } from "./history.js";
import { draw } from "./machine.js";
import * as notes from "./notes.js";
import { Children, Grid } from "./parts.js";
import { show as showPlaces } from "./places.js";
import { show as showReport } from "./report.js";
import { show as showRate } from "./throughput.js";

const LIST = 50;
const places = await get("/api/places");
const events = new EventList();
const grid = new Grid();

/** The chosen execution and all that was read of it; null if none is. */
let chosen = null;
/** Executions beyond the newest page, once they were asked for. */
let older = [];
let cursor = null;

/* ---- the list ---- */

async function list() {
  const machine = byId("machine").value;
  const page = await get("/api/executions", { machine, status: byId("status-filter").value, limit: LIST });
  const newest = new Set(page.executions.map((execution) => execution.executionArn));
  if (!older.length) cursor = page.nextToken ?? null;
  const all = [...page.executions, ...older.filter((execution) => !newest.has(execution.executionArn))];
  const place = byId("executions");
  const focused = document.activeElement?.dataset?.arn;
  place.replaceChildren(...all.map(row));
  if (!all.length) place.append(el("li", { class: "dim" }, "None yet."));
  if (focused) [...place.querySelectorAll("button")].find((button) => button.dataset.arn === focused)?.focus();
  byId("older").hidden = !cursor;
}

const word = (status) => el("span", { class: `status ${status}` }, status.toLowerCase().replace("_", " "));

function row(execution) {
  const { executionArn: arn, name, status, startDate } = execution;
  const current = chosen?.arn === arn ? "true" : null;
  const button = el("button", { type: "button", "data-arn": arn, "aria-current": current, onclick: () => choose(arn, true) },
    el("span", {}, name), word(status), el("small", {}, `${moment(startDate)} UTC`));
  return el("li", {}, button);
}

async function moreExecutions() {
  const machine = byId("machine").value;
  const page = await get("/api/executions", { machine, status: byId("status-filter").value, limit: LIST, cursor });
  older = [...older, ...page.executions];
  cursor = page.nextToken ?? null;
  await list();
}

/* ---- one execution ---- */

function choose(arn, focus) {
  if (chosen?.arn === arn) return;
  chosen = arn ? { arn, history: new History(arn), runs: [], children: new Map(), reported: null } : null;
  location.hash = arn ? `execution=${encodeURIComponent(arn)}` : "";
  byId("nothing").hidden = Boolean(arn);
  byId("execution").hidden = !arn;
  byId("report").replaceChildren();
  byId("diagram").replaceChildren();
  byId("live").textContent = "";
  byId("map").hidden = true;
  fail(null);
  if (arn) say(byId("name"), nameOf(arn));
  if (focus) byId("main").focus();
  now();
}

function fail(text) {
  byId("failure").hidden = !text;
  say(byId("failure"), text ?? "");
}

async function look(it) {
  const { arn } = it;
  it.execution = await get("/api/execution", { arn });
  const fresh = await it.history.refresh();
  it.definition ??= JSON.parse((await get("/api/definition", { arn })).definition);
  if (fresh || !it.mapRuns) it.mapRuns = it.history.events.some((event) => event.type === "MapRunStarted");
  if (it.mapRuns) it.runs = (await get("/api/map-runs", { arn })).mapRuns;
  if (chosen !== it) return;
  head(it);
  events.show(it.history, fresh);
  const status = it.execution.status;
  if (fresh || it.drawn !== status) {
    const place = byId("diagram");
    place.replaceChildren(draw(it.definition, it.history.events, status));
    it.drawn = status;
  }
  await map(it);
  if (places.notes) await notes.look(arn, () => chosen === it);
  await report(it);
}

function head(it) {
  const { status, startDate, stopDate, input, error, cause, redriveStatus, redriveCount } = it.execution;
  const request = opened(input);
  // A URL's query may be a signature.
  const cut = (url) => url.replace(/\?.*$/, "?\u2026");
  const place = (side) => (side?.bucket ? `${side.location}:s3://${side.bucket}/${side.key ?? side.prefix ?? ""}` : side?.url ? cut(side.url) : "");
  say(byId("route"), request.source ? `${place(request.source)} \u2192 ${place(request.destination)}` : "");
  say(byId("live"), status.toLowerCase().replace("_", " "));
  byId("live").className = `status ${status}`;
  byId("stop").disabled = status !== "RUNNING";
  const over = ["FAILED", "ABORTED", "TIMED_OUT"].includes(status);
  // The service would redrive what ended in a Fail state, too, and it would fail there again: the report knows.
  const told = it.reported === (redriveCount ?? 0) ? it.redrivable : null;
  byId("redrive").disabled = !over || redriveStatus === "NOT_REDRIVABLE" || told === false;
  fail(over && error ? `${error}: ${typeof opened(cause) === "string" ? cause : (opened(cause).errorMessage ?? cause)}` : null);
  const end = stopDate ?? Date.now() / 1000;
  const run = it.runs.at(-1);
  const facts = [["Started", `${moment(startDate)} UTC`], [stopDate ? "Took" : "Runs for", seconds(Math.max(0, end - startDate))]];
  const size = objectOf(it)?.source?.size;
  if (size != null) facts.push(["Object", bytes(size)]);
  if (run) facts.push(["Children", `${count(run.executionCounts.succeeded)} of ${count(run.executionCounts.total)}`]);
  if (redriveCount) facts.push(["Redrives", count(redriveCount)]);
  byId("facts").replaceChildren(...facts.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))));
}

/** What Head found: the newest answer of a task that tells of a source and a decision. */
function objectOf(it) {
  for (const event of it.history.events) {
    const output = event.taskSucceededEventDetails?.output;
    if (output?.includes('"decision"')) return opened(output).Payload;
  }
  return null;
}

/** Bytes that the newest Init found missing: what its children share. */
function missing(it) {
  const given = it.history.events.filter((event) => event.taskSucceededEventDetails?.output?.includes('"bytesMissing"'));
  return given.length ? opened(given.at(-1).taskSucceededEventDetails.output).Payload.bytesMissing : 0;
}

async function map(it) {
  byId("map").hidden = !it.runs.length;
  if (!it.runs.length) return;
  const select = byId("map-run");
  const options = it.runs.map((run, index) => `${index + 1} of ${it.runs.length}, ${run.status.toLowerCase()}`);
  if ([...select.options].map((option) => option.text).join() !== options.join()) {
    const before = it.runs.length === select.options.length ? select.value : null;
    select.replaceChildren(...it.runs.map((run, index) => el("option", { value: run.mapRunArn }, options[index])));
    select.value = it.runs.some((run) => run.mapRunArn === before) ? before : it.runs.at(-1).mapRunArn;
  }
  const run = it.runs.find((run) => run.mapRunArn === select.value);
  const most = byId("concurrency");
  byId("concurrency-form").hidden = run.status !== "RUNNING";
  if (document.activeElement !== most && it.most !== run.maxConcurrency) {
    it.most = run.maxConcurrency;
    most.value = run.maxConcurrency;
  }
  if (!it.children.has(run.mapRunArn)) it.children.set(run.mapRunArn, new Children(run.mapRunArn));
  const children = it.children.get(run.mapRunArn);
  await children.refresh(run);
  if (chosen !== it) return;
  grid.show(children);
  showRate(byId("rate"), children, missing(it) / Math.max(1, run.executionCounts.total));
}

/** Read once the execution is over, and again after a redrive. */
async function report(it) {
  const { status, redriveCount = 0 } = it.execution;
  const place = byId("report");
  if (status === "RUNNING") {
    if (!place.children.length || it.reported) place.replaceChildren(el("p", { class: "dim" }, "Comes with the end of the execution."));
    it.reported = null;
    return;
  }
  if (it.reported === redriveCount) return;
  it.reported = redriveCount;
  it.redrivable = null;
  const found = await get("/api/report", { arn: it.arn });
  it.redrivable = found.redrivable;
  if (chosen !== it) return;
  showReport(place, found);
  head(it);
}

async function act(path, body) {
  try {
    await post(path, body);
    fail(null);
  } catch (error) {
    fail(error.message);
  }
  now();
}

/* ---- starting ---- */

const start = byId("start");
const field = (id) => byId(id).value.trim();
const isBucket = () => places.machines.find((machine) => machine.arn === byId("start-machine").value)?.kind === "bucket";

function newName() {
  const digits = new Date().toISOString().replace(/\D/g, "");
  const random = Math.floor(Math.random() * 65_536).toString(16).padStart(4, "0");
  return `${isBucket() ? "sync" : "copy"}-${digits.slice(0, 8)}-${digits.slice(8, 14)}-${random}`;
}

/** The fields into the input; what else was written there stays. */
function compose() {
  const what = isBucket() ? "prefix" : "key";
  let input = {};
  try {
    input = JSON.parse(byId("start-input").value || "{}");
  } catch {
    return;
  }
  for (const side of ["source", "destination"]) {
    const { [what === "key" ? "prefix" : "key"]: _, ...rest } = input[side] ?? {};
    input[side] = { ...rest, location: field(`${side}-location`), bucket: field(`${side}-bucket`), [what]: byId(`${side}-key`).value };
  }
  byId("start-input").value = JSON.stringify(input, null, 2);
  document.querySelectorAll(".key-label").forEach((label) => say(label, isBucket() ? "Prefix" : "Key"));
}

/** The input into the fields. */
function spread() {
  try {
    const input = JSON.parse(byId("start-input").value);
    for (const side of ["source", "destination"]) {
      const { location = "", bucket = "", key, prefix } = input[side] ?? {};
      byId(`${side}-location`).value = location;
      byId(`${side}-bucket`).value = bucket;
      byId(`${side}-key`).value = key ?? prefix ?? "";
    }
  } catch {
    // Half written: the fields wait.
  }
}

function openStart(title, machine, input) {
  say(byId("start-title"), title);
  say(byId("start-refused"), "");
  if (machine) byId("start-machine").value = machine;
  byId("start-name").value = newName();
  byId("start-input").value = JSON.stringify(input, null, 2);
  spread();
  compose();
  start.showModal();
}

async function send(event) {
  event.preventDefault();
  const refused = byId("start-refused");
  say(refused, "");
  try {
    const machine = byId("start-machine").value;
    const body = { machine, name: field("start-name") || undefined, input: JSON.parse(byId("start-input").value) };
    const { executionArn } = await post("/api/start", body);
    start.close();
    byId("machine").value = machine;
    older = [];
    choose(executionArn, true);
  } catch (error) {
    say(refused, error instanceof SyntaxError ? `The input is no JSON: ${error.message}` : error.message);
  }
}

const empty = () => {
  const [one, other = one] = places.locations;
  return { source: { location: one, bucket: "", key: "" }, destination: { location: other, bucket: "", key: "" } };
};

/* ---- wiring ---- */

for (const machine of places.machines) {
  byId("machine").append(el("option", { value: machine.arn }, machine.kind === "bucket" ? "many objects" : "one object"));
  byId("start-machine").append(el("option", { value: machine.arn }, machine.kind === "bucket" ? "many objects" : "one object"));
}
for (const id of ["source-location", "destination-location"]) {
  byId(id).append(...places.locations.map((name) => el("option", { value: name }, name)));
}
showPlaces(byId("places"), places, (location, bucket, key) => {
  const input = empty();
  input.source = { location, bucket, key };
  input.destination = { ...input.destination, location: places.locations.find((name) => name !== location) ?? location, key };
  openStart("Copy an object", places.machines.find((machine) => machine.kind === "object")?.arn, input);
});

const reached = byId("reach");
const now = poll(async () => {
  await list();
  if (chosen) await look(chosen);
}, (error) => {
  if (error?.status === 404 && chosen && !chosen.execution) {
    choose(null);
    say(byId("nothing").querySelector("h2"), "There is no such execution");
    return;
  }
  say(reached, error ? `Trying again: ${error.message}` : "");
});

for (const id of ["machine", "status-filter"]) {
  byId(id).addEventListener("change", () => {
    older = [];
    now();
  });
}
byId("older").addEventListener("click", () => moreExecutions());
byId("map-run").addEventListener("change", () => now());
byId("open-start").addEventListener("click", () => openStart("Start a transfer", null, empty()));
byId("start-cancel").addEventListener("click", () => start.close());
byId("start-form").addEventListener("submit", send);
byId("start-input").addEventListener("input", spread);
byId("start-machine").addEventListener("change", () => {
  byId("start-name").value = newName();
  compose();
});
for (const side of ["source", "destination"]) {
  for (const part of ["location", "bucket", "key"]) byId(`${side}-${part}`).addEventListener("input", compose);
}
byId("stop").addEventListener("click", () => byId("sure").showModal());
byId("sure-cancel").addEventListener("click", () => byId("sure").close());
byId("sure-stop").addEventListener("click", () => {
  byId("sure").close();
  act("/api/stop", { arn: chosen.arn });
});
byId("redrive").addEventListener("click", () => act("/api/redrive", { arn: chosen.arn }));
byId("replay").addEventListener("click", () => {
  if (!chosen?.execution) return;
  openStart("Replay with edited input", chosen.execution.stateMachineArn, opened(chosen.execution.input));
});
byId("notes-section").hidden = !places.notes;
byId("note-form").addEventListener("submit", (event) => {
  event.preventDefault();
  if (chosen) notes.add(chosen.arn);
});
byId("concurrency-form").addEventListener("submit", (event) => {
  event.preventDefault();
  act("/api/concurrency", { mapRun: byId("map-run").value, maxConcurrency: Number(byId("concurrency").value) });
});

const asked = /^#execution=(.+)$/.exec(location.hash);
if (asked) choose(decodeURIComponent(asked[1]), false);
