// Ignore patterns, as lists of them are written for migrations: one `bucket/key` a line, `*` for any characters (slashes
// too), `?` for one, case-sensitive. Here they become wildcards over keys, which is what an event pattern compares.
import { Problem } from './problem';

/**
 * The patterns over keys of this bucket that a pattern over `bucket/key` stands for; none if it is about other buckets.
 * `*` may end within the bucket's name, at its slash or behind it: `*\/readme.md` is the key `readme.md` as well as
 * `a/readme.md`. So the pattern is run over `bucket/`, and what is left of it at the end are the patterns over keys.
 */
export function keyPatterns(pattern: string, bucket: string): string[] {
  let states = closure(pattern, [0]);
  for (const char of `${bucket}/`) {
    states = closure(
      pattern,
      states.flatMap((state) => step(pattern, state, char)),
    );
  }
  const rests = [...new Set(states.map((state) => pattern.slice(state)))].filter((rest) => rest.length > 0);
  // `*x` covers `x`.
  return rests.filter((rest) => !rests.includes(`*${rest}`));
}

/** With each state in front of a `*` comes the one behind it. */
function closure(pattern: string, states: number[]): number[] {
  const all = new Set<number>();
  for (let state of states) {
    all.add(state);
    while (pattern[state] === '*') {
      state += 1;
      all.add(state);
    }
  }
  return [...all];
}

function step(pattern: string, state: number, char: string): number[] {
  const expected = pattern[state];
  if (expected === '*') {
    return [state];
  }
  return expected === char || expected === '?' ? [state + 1] : [];
}

/**
 * A pattern over keys as a wildcard of an event pattern. There is no wildcard for a single character there, `**` is refused
 * and `\` escapes.
 */
export function eventWildcard(path: string, pattern: string): string {
  if (pattern.includes('?')) {
    throw new Problem(
      path,
      'no ? (EventBridge has no wildcard for a single character; write * or the characters)',
      pattern,
    );
  }
  return pattern.replace(/\*{2,}/g, '*').replace(/\\/g, '\\\\');
}
