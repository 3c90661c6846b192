// Bytes over time: each child's bytes in the time in which it sent them.
import { bytes, el, seconds, svg } from "./dom.js";

const BARS = 80;

/** Bytes a second in each of `BARS` pieces of the time, and where that time begins and ends. */
export function rates(children, average) {
  const done = children.order.filter((child) => child.status === "SUCCEEDED" && child.stopDate);
  if (!done.length) return null;
  const begin = Math.min(...done.map((child) => child.startDate));
  const end = Math.max(...done.map((child) => child.stopDate), begin + 0.05);
  const piece = (end - begin) / BARS;
  const sums = new Array(BARS).fill(0);
  let total = 0;
  for (const child of done) {
    const parts = children.details.get(child.executionArn)?.parts;
    const size = parts ? parts.reduce((sum, part) => sum + part.size, 0) : average;
    total += size;
    const from = Math.floor((child.startDate - begin) / piece);
    const to = Math.min(BARS - 1, Math.floor((child.stopDate - begin) / piece));
    for (let bar = Math.min(from, to); bar <= to; bar += 1) sums[bar] += size / (to - Math.min(from, to) + 1);
  }
  return { values: sums.map((sum) => sum / piece), begin, end, total };
}

export function show(place, children, average) {
  const found = rates(children, average);
  if (!found) return place.replaceChildren(el("p", { class: "dim" }, "No part has arrived yet."));
  const { values, begin, end, total } = found;
  const most = Math.max(...values);
  const words = `${bytes(total)} in ${seconds(end - begin)}: ${bytes(total / (end - begin))}/s on average, ${bytes(most)}/s at most`;
  const picture = svg("svg", { viewBox: `0 0 ${BARS * 10} 100`, preserveAspectRatio: "none", role: "img", "aria-label": `Throughput: ${words}` });
  values.forEach((value, index) => {
    const height = (value / most) * 96;
    picture.append(svg("rect", { x: index * 10, y: 100 - height, width: 9, height }));
  });
  place.replaceChildren(picture, el("p", { class: "dim" }, `${words}.`));
}
