// Checks of a page that hold anywhere: names, widths, contrasts. They run in the browser.

/** Controls without a name that a screen reader could say. */
export function nameless() {
  const visible = (element) => element.checkVisibility({ visibilityProperty: true });
  const named = (element) => {
    const labelled = (element.getAttribute("aria-labelledby") ?? "").split(" ").map((id) => document.getElementById(id)?.textContent ?? "");
    const labels = [...(element.labels ?? [])].map((label) => label.textContent);
    const own = element.matches("button, a, summary") ? element.textContent : "";
    return [element.getAttribute("aria-label") ?? "", ...labelled, ...labels, own].join("").trim() !== "";
  };
  const controls = document.querySelectorAll("button, a, input, select, textarea, summary, canvas, [tabindex='0'], dialog, svg[role=img]");
  return [...controls].filter((element) => visible(element) && !named(element)).map((element) => element.outerHTML.slice(0, 120));
}

/** How far the page is wider than its window. */
export function overflow() {
  return document.documentElement.scrollWidth - document.documentElement.clientWidth;
}

/** Texts whose colour is too near that of what they stand on: less than 4.5 to 1. */
export function faint() {
  const parse = (colour) => {
    const [red, green, blue, alpha = 1] = colour.match(/[\d.]+/g).map(Number);
    return { rgb: [red, green, blue], alpha };
  };
  const light = (rgb) => {
    const [red, green, blue] = rgb.map((part) => (part / 255 <= 0.04045 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const rect = at.tagName === "g" && at.querySelector(":scope > rect");
      const { rgb, alpha } = parse(rect ? getComputedStyle(rect).fill : getComputedStyle(at).backgroundColor);
      if (alpha === 1) return rgb;
    }
    return matchMedia("(prefers-color-scheme: dark)").matches ? [0, 0, 0] : [255, 255, 255];
  };
  const found = [];
  for (const element of document.querySelectorAll("body *")) {
    const text = [...element.childNodes].filter((node) => node.nodeType === 3).map((node) => node.textContent.trim()).join("");
    const control = element.matches("input, select, textarea");
    if ((!text && !control) || !element.checkVisibility({ visibilityProperty: true }) || element.matches("script, style, noscript, option, title, :disabled")) continue;
    const style = getComputedStyle(element);
    const ink = parse(element.tagName === "text" ? style.fill : style.color).rgb;
    const [a, b] = [light(ink), light(behind(element))].sort((a, b) => b - a);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) found.push(`${ratio.toFixed(2)}: ${element.tagName} ${element.className?.baseVal ?? element.className} ${text.slice(0, 40)}`);
  }
  return found;
}
