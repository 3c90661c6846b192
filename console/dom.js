// Elements, and how numbers and times are written.

/** An element with properties (`class`, `on...`, `data-...`, anything else) and children. */
export function el(tag, properties = {}, ...children) {
  return filled(document.createElement(tag), properties, children);
}

/** The same of SVG. */
export function svg(tag, properties = {}, ...children) {
  return filled(document.createElementNS("http://www.w3.org/2000/svg", tag), properties, children);
}

function filled(element, properties, children) {
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child != null));
  return element;
}

export const byId = (id) => document.getElementById(id);

/** Sets a text only where it differs, so that screen readers do not hear it again. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];

export function bytes(count) {
  let unit = 0;
  let value = count;
  for (; value >= 1024 && unit < UNITS.length - 1; unit += 1) value /= 1024;
  return `${unit && value < 100 ? value.toFixed(1) : Math.round(value)} ${UNITS[unit]}`;
}

export function seconds(count) {
  if (count < 60) return `${count < 10 ? count.toFixed(1) : Math.round(count)} s`;
  if (count < 3600) return `${Math.floor(count / 60)} min ${Math.round(count % 60)} s`;
  return `${Math.floor(count / 3600)} h ${Math.round((count % 3600) / 60)} min`;
}

export const count = (number) => number.toLocaleString("en");

/** A moment of the API: seconds since 1970. */
export const moment = (stamp) => new Date(stamp * 1000).toISOString().replace("T", " ").slice(0, 19);

export const clock = (stamp) => new Date(stamp * 1000).toISOString().slice(11, 23);

export const nameOf = (arn) => arn.slice(arn.lastIndexOf(":") + 1);

/** JSON within JSON is opened, too: inputs and outputs travel as text. */
export function opened(value) {
  if (typeof value === "string" && /^\s*[[{]/.test(value)) {
    try {
      return opened(JSON.parse(value));
    } catch {
      return value;
    }
  }
  if (Array.isArray(value)) return value.map(opened);
  if (value && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, opened(inner)]));
  }
  return value;
}
