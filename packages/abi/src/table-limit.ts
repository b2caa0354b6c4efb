import { leb, replaceSection } from "./memory-limit.ts";
import { ModuleError } from "./module-error.ts";
import { readModule, readSections } from "./module-reader.ts";

/**
 * Rewrites a module so that its tables together cannot grow above a maximum. They live in the engine's heap: what fills that ends the
 * process. Each table may grow by an equal part of what is left above all their first sizes.
 *
 * ```text
 *  04 | 04 | 01 70 | 00 02          one table of 2 functions or more
 *  04 | 06 | 01 70 | 01 02 80 02    the same, and never more than 256
 * ```
 *
 * @param bytes the module
 * @param maximum in entries
 * @throws ModuleError if the tables start out larger than that
 */
export function limitTables(
  bytes: Uint8Array<ArrayBuffer>,
  maximum: number,
): Uint8Array<ArrayBuffer> {
  const { tables } = readModule(bytes);
  let first = 0;
  for (const { minimum } of tables) first += minimum;
  if (first > maximum) {
    throw new ModuleError(
      `the guest starts with tables of ${first} entries, above its limit of ${maximum}: raise tableEntries or build it smaller`,
    );
  }
  const section = readSections(bytes).find((s) => s.id === 4);
  const share = Math.floor((maximum - first) / tables.length);
  const open = tables.filter((t) => (t.maximum ?? Infinity) > t.minimum + share);
  if (section === undefined || open.length === 0) return bytes;
  const content: number[] = [];
  let { at } = section;
  const copy = (to: number): void => {
    for (; at < to; at++) content.push(bytes[at] ?? 0);
  };
  for (const { flags, minimum, at: from, end } of open) {
    copy(from);
    content.push(flags | 1, ...leb(minimum), ...leb(minimum + share));
    at = end;
  }
  copy(section.end);
  return replaceSection(bytes, section, Uint8Array.from(content));
}
