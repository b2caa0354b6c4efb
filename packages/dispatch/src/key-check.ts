import { similarName } from "./similar-name.ts";

/*
 * Options of backends often come from a file, or a program without types. A misspelt key must not pass in silence: where a
 * server was meant, the embedded engine would answer, and where a bound was, there would be none.
 */

/**
 * Checks that options hold no key but those that there are.
 *
 * @param where they stand, for the message, such as `redis: `
 * @throws TypeError that names the first one that is unknown
 */
export function checkKeys(options: object, known: Iterable<string>, where = ""): void {
  if (typeof options !== "object" || (options as unknown) === null || Array.isArray(options))
    throw new TypeError(`${where}the options must be an object`);
  const all = [...known];
  for (const key of Object.keys(options)) {
    if (all.includes(key)) continue;
    const similar = similarName(key, all);
    const hint = similar === undefined ? "" : `; did you mean ${similar}?`;
    throw new TypeError(`${where}"${key}" is unknown; there is ${all.join(", ")}${hint}`);
  }
}

/**
 * Checks bounds that were set otherwise: what is no number would be no bound at all, and a name that is none bounds nothing.
 *
 * @param bounds the bounds that there are, by name
 * @returns those that hold: one that is undefined is not set
 * @throws TypeError with one sentence that names what is wrong
 */
export function checkBounds<T extends object>(bounds: T, others: Partial<T>, where = ""): T {
  checkKeys(others, Object.keys(bounds), where);
  const set = Object.entries(others).filter(([, value]) => value !== undefined);
  for (const [name, value] of set) {
    if (!(Number.isFinite(value) && (value as number) >= 0))
      throw new TypeError(`${where}"${name}" must be a number, 0 or more`);
  }
  return { ...bounds, ...(Object.fromEntries(set) as Partial<T>) };
}
