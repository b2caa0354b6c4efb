import { ModuleError } from "./module-error.ts";
import { readModule, readSections, type Section } from "./module-reader.ts";

/**
 * Rewrites a module so that its own memories cannot grow above a maximum: the engine itself then refuses
 * `memory.grow`, whatever the guest does. See docs/RATIONALE.md, "Why is the memory section rewritten?".
 *
 * ```text
 *  05 | 03 | 01 | 00 02          one memory of 2 pages or more
 *  05 | 05 | 01 | 01 02 80 02    the same, and never more than 256
 * ```
 *
 * @param bytes the module
 * @param maximum in pages of 64 KiB
 * @throws ModuleError if the memory starts out larger than that, is imported or not the only one
 */
export function limitMemory(
  bytes: Uint8Array<ArrayBuffer>,
  maximum: number,
): Uint8Array<ArrayBuffer> {
  const memories = readModule(bytes).memories;
  if (memories.length > 1)
    throw new ModuleError(`the guest has ${memories.length} memories: build it with one`);
  for (const memory of memories) {
    if (memory.imported)
      throw new ModuleError("the guest imports its memory: it must have its own and export it");
    if (memory.minimum > maximum) {
      throw new ModuleError(
        `the guest starts with ${memory.minimum} pages of memory, above its limit of ${maximum} (64 KiB each): raise memoryPages or build it smaller`,
      );
    }
  }
  const section = readSections(bytes).find((s) => s.id === 5);
  if (
    section === undefined ||
    memories.every((m) => m.maximum !== undefined && m.maximum <= maximum)
  )
    return bytes;
  const content = [...leb(memories.length)];
  for (const m of memories) {
    content.push(1, ...leb(m.minimum), ...leb(Math.min(m.maximum ?? maximum, maximum)));
  }
  return replaceSection(bytes, section, Uint8Array.from(content));
}

/** A module with other content in one of its sections. */
export function replaceSection(
  bytes: Uint8Array<ArrayBuffer>,
  { id, start, end }: Section,
  content: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const header = [id, ...leb(content.length)];
  const replaced = new Uint8Array(bytes.length - (end - start) + header.length + content.length);
  replaced.set(bytes.subarray(0, start));
  replaced.set(header, start);
  replaced.set(content, start + header.length);
  replaced.set(bytes.subarray(end), start + header.length + content.length);
  return replaced;
}

/** A number of 0 or more as LEB128. */
export function leb(value: number): number[] {
  const bytes: number[] = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push((value % 128) | 128);
  bytes.push(value);
  return bytes;
}
