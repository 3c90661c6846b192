// Notes on the chosen execution: read with it, written and deleted at once.
import { ask, get, post } from "./api.js";
import { byId, el, moment, say } from "./dom.js";

let shown = "";

/** Shows the notes of an execution. */
export async function look(arn, current) {
  const { notes } = await get("/api/notes", { arn });
  if (!current()) return;
  const text = JSON.stringify([arn, notes]);
  if (text === shown) return;
  shown = text;
  byId("notes").replaceChildren(...notes.map((note) => row(arn, note)));
}

function row(arn, note) {
  const again = () => look(arn, () => true);
  const remove = () => act(() => ask(`/api/notes?${new URLSearchParams({ arn, id: note.id })}`, { method: "DELETE" }), again);
  return el("li", {},
    el("small", {}, `${moment(note.time / 1000)} UTC`), el("p", {}, note.text),
    el("button", { type: "button", "aria-label": `Delete the note of ${moment(note.time / 1000)}`, onclick: remove }, "Delete"));
}

async function act(work, again) {
  try {
    await work();
    say(byId("note-refused"), "");
    await again();
  } catch (error) {
    say(byId("note-refused"), error.message);
  }
}

/** Adds what was written. */
export function add(arn) {
  const text = byId("note-text");
  return act(() => post("/api/notes", { arn, text: text.value }), async () => {
    text.value = "";
    await look(arn, () => true);
  });
}
