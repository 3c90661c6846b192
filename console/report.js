// What a transfer took: decision, proof, requests, retries, each part.
import { bytes, count, el, seconds } from "./dom.js";

const ROWS = 500;

const PROOFS = {
  sourceChecksum: "the source's own checksum",
  transitChecksum: "the checksum of what was read",
  readTwice: "read twice, the same checksum",
  partEtags: "the MD5 of each part",
};

function table(caption, heads, rows) {
  const cell = (tag, value, head) => el(tag, { class: head.number ? "number" : null, scope: tag === "th" ? "col" : null }, String(value));
  return el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": caption },
    el("table", {},
      el("caption", { class: "dim" }, caption),
      el("thead", {}, el("tr", {}, ...heads.map((head) => cell("th", head.name, head)))),
      el("tbody", {}, ...rows.map((row) => el("tr", {}, ...row.map((value, index) => cell("td", value, heads[index])))))));
}

const pairs = (object) => Object.entries(object).map(([name, number]) => [name, count(number)]);

export function show(place, report) {
  const facts = [
    ["Decision", report.decision],
    ["Object", report.size == null ? null : bytes(report.size)],
    ["Parts", report.parts ? `${count(report.parts)} of ${bytes(report.partSize ?? 0)}` : null],
    ["Took", seconds(report.seconds)],
    ["Rounds, redrives", `${report.rounds}, ${report.redrives}`],
    ["Parts sent again", count(report.repeatedPuts)],
    ["Proof", report.result ? PROOFS[report.result.proof] ?? report.result.proof : null],
    ["Checksum", report.result?.checksum ? `${report.result.checksum.algorithm} ${report.result.checksum.value}` : null],
  ].filter(([, value]) => value != null);
  const tables = [];
  const number = { name: "Count", number: true };
  if (Object.keys(report.requests).length) tables.push(table("Requests to the stores", [{ name: "Request" }, number], pairs(report.requests)));
  if (Object.keys(report.failedAttempts).length) tables.push(table("Attempts that failed", [{ name: "Error" }, number], pairs(report.failedAttempts)));
  if (report.partRecords.length) {
    const heads = ["Part", "Bytes", "PUTs", "GETs", "ms"].map((name) => ({ name, number: true }));
    const rows = report.partRecords.slice(0, ROWS).map((part) => [part.partNumber, count(part.size), part.attempts, part.reads, count(part.durationMs)]);
    const more = report.partRecords.length > ROWS ? `, the first ${ROWS} of ${count(report.partRecords.length)}` : "";
    tables.push(table(`Parts${more}`, [...heads, { name: "ETag" }], rows.map((row, index) => [...row, report.partRecords[index].etag])));
  }
  if (report.childrenNotRead) {
    tables.push(el("p", { class: "dim" }, `The records of ${count(report.childrenNotRead)} children are left out here: transload report ${report.name} reads them.`));
  }
  place.replaceChildren(el("dl", { class: "cards" }, ...facts.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value)))), ...tables);
}
