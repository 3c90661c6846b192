// The tree of places: locations, their buckets, and what is in them, read where it is opened.
import { get } from "./api.js";
import { el } from "./dom.js";

/** Draws locations and mounts into `place`; `copy(location, bucket, key)` is called for an object that is to be copied. */
export function show(place, { locations, mounts }, copy) {
  const files = (mount) => folderOf({ mount, prefix: "", name: mount }, null);
  place.replaceChildren(...locations.map((location) => locationOf(location, copy)), ...mounts.map(files));
  if (!locations.length) place.append(el("p", { class: "dim" }, "No locations are configured."));
}

function locationOf(location, copy) {
  const buckets = el("div");
  const input = el("input", { name: "bucket", autocomplete: "off", spellcheck: "false", required: true });
  const form = el("form", {}, el("label", {}, `Bucket in ${location} `, input), el("button", { type: "submit" }, "Open"));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const bucket = input.value.trim();
    const there = [...buckets.children].find((child) => child.dataset.bucket === bucket);
    const folder = there ?? folderOf({ location, bucket, prefix: "", name: bucket }, copy);
    folder.dataset.bucket = bucket;
    if (!there) buckets.append(folder);
    folder.open = true;
    input.value = "";
  });
  return el("details", { open: true }, el("summary", {}, location), buckets, form);
}

function folderOf(at, copy) {
  const list = el("ul");
  const folder = el("details", {}, el("summary", {}, at.name), list);
  folder.addEventListener("toggle", () => {
    if (folder.open) fill(list, at, null, copy);
  });
  return folder;
}

async function fill(list, at, cursor, copy) {
  const { location, bucket, mount, prefix } = at;
  const where = mount ? { mount, path: prefix } : { location, bucket, prefix };
  try {
    const found = await get("/filelist", { ...where, depth: 1, limit: 200, cursor });
    if (!cursor) list.replaceChildren();
    for (const member of found.member) {
      const item = member.member
        ? folderOf({ ...at, prefix: `${prefix}${member.name}/`, name: `${member.name}/` }, copy)
        : [el("span", {}, member.name), el("span", { class: "dim" }, member.size ?? member.unreadable),
          copy && el("button", { type: "button", "aria-label": `Copy ${member.name}`, onclick: () => copy(location, bucket, prefix + member.name) }, "Copy")];
      list.append(el("li", {}, ...[item].flat()));
    }
    if (found.unreadable) list.append(el("li", { class: "dim" }, `Not readable: ${found.unreadable}`));
    if (found.cursor) {
      const more = el("button", { type: "button" }, "More");
      more.addEventListener("click", () => {
        more.parentElement.remove();
        fill(list, at, found.cursor, copy);
      });
      list.append(el("li", {}, more));
    }
    if (!list.children.length) list.append(el("li", { class: "dim" }, "Empty"));
  } catch (error) {
    list.replaceChildren(el("li", { role: "alert" }, error.message));
  }
}
