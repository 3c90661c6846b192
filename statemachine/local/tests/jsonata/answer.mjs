// Writes answers.jsonl: what the reference implementation says to each line of expressions.txt over input.json.
//   npm install --no-save jsonata@2.2.2 && node answer.mjs
import { readFileSync, writeFileSync } from "node:fs";
import jsonata from "jsonata";

const here = (name) => new URL(name, import.meta.url);
const input = () => JSON.parse(readFileSync(here("input.json"), "utf8"));

const isFunction = (v) =>
  typeof v === "function" || Boolean(v && (v._jsonata_lambda || v._jsonata_function || typeof v.implementation === "function"));
// Sequences carry methods of their own: only the items of an array count.
const members = (v) => (Array.isArray(v) ? Array.from(v) : Object.values(v));
const holds = (what, v) => what(v) || (v !== null && typeof v === "object" && members(v).some((m) => holds(what, m)));
const outOfRange = (v) => typeof v === "number" && !Number.isFinite(v);

async function answer(expression) {
  const context = { Execution: { Name: "e", Id: "arn:e" }, State: { Name: "S", RetryCount: 2 } };
  try {
    const bindings = { states: { input: input(), context }, order: input().order, items: input().items, n: 5 };
    const value = await jsonata(expression, { sequence: 1_000_000, timeout: 5_000 }).evaluate(undefined, bindings);
    if (value === undefined) return { nothing: true };
    if (holds(isFunction, value)) return { function: true };
    if (holds(outOfRange, value)) return { range: true };
    return { value };
  } catch (error) {
    return { error: error.code ?? String(error.message) };
  }
}

const [from = "expressions.txt", to = "answers.jsonl"] = process.argv.slice(2);
const lines = readFileSync(here(from), "utf8").split("\n").filter((line) => line && !line.startsWith("#"));
const answers = [];
for (const expression of lines) answers.push(JSON.stringify({ expression, ...(await answer(expression)) }));
writeFileSync(here(to), answers.join("\n") + "\n");
