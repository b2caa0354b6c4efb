import type { CheckedGuest } from "./checked-guest.ts";

/** Every cycle of requirements, once: the names of the guests, the first one again at the end. */
export function requirementCycles(guests: readonly CheckedGuest[]): string[][] {
  const next = (name: string): string[] => {
    const requires = guests.find((g) => g.config.name === name)?.requires ?? [];
    return requires.flatMap((s) =>
      guests.filter((g) => g.exports.includes(s)).map((g) => g.config.name),
    );
  };
  const found: string[][] = [];
  const done = new Set<string>();
  const search = (name: string, path: readonly string[]): void => {
    const at = path.indexOf(name);
    if (at >= 0) found.push([...path.slice(at), name]);
    if (at >= 0 || done.has(name)) return;
    for (const other of next(name)) search(other, [...path, name]);
    done.add(name);
  };
  for (const guest of guests) search(guest.config.name, []);
  return found;
}
