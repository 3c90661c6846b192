// Asks the server that this page came from, and nobody else.

const key = document.querySelector("meta[name=transload-key]").content;

/** Why a request was refused: `field`, `expected` and `found` where they are known. */
export class Refused extends Error {
  constructor(status, body) {
    super(body.message ?? `HTTP ${status}`);
    Object.assign(this, { status, error: body.error, field: body.field, expected: body.expected, found: body.found });
  }
}

/** Any other request. */
export async function ask(path, options) {
  const headers = { "x-transload-key": key, "content-type": "application/json" };
  const answer = await fetch(path, { ...options, headers });
  const body = await answer.json();
  if (!answer.ok) throw new Refused(answer.status, body);
  return body;
}

/** A list as value gives the parameter several times; nothing leaves it out. */
export function get(path, parameters = {}) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one != null && one !== "") query.append(name, one);
    }
  }
  return ask(`${path}?${query}`, { method: "GET" });
}

export function post(path, body) {
  return ask(path, { method: "POST", body: JSON.stringify(body) });
}

const OFTEN = 1_500;
const HIDDEN = 15_000;
const SELDOM = 30_000;

/** Calls `work` again and again: less often while nobody looks, and while the server is not reached. Returns a function that
 * has it called at once. */
export function poll(work, reached) {
  let timer = null;
  let running = false;
  let again = false;
  let failures = 0;
  const round = async () => {
    clearTimeout(timer);
    if (running) {
      again = true;
      return;
    }
    running = true;
    try {
      await work();
      failures = 0;
      reached(null);
    } catch (error) {
      failures += 1;
      reached(error);
    }
    running = false;
    const wait = again ? 0 : Math.min(SELDOM, (document.hidden ? HIDDEN : OFTEN) * 2 ** Math.min(failures, 5));
    again = false;
    timer = setTimeout(round, wait);
  };
  document.addEventListener("visibilitychange", () => document.hidden || round());
  round();
  return round;
}
