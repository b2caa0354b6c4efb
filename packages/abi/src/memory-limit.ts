import { ModuleError, readModule, readSections } from "./module-reader.ts";

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
 * @throws ModuleError if a memory starts out larger than that, or is imported
 */
export function limitMemory(
  bytes: Uint8Array<ArrayBuffer>,
  maximum: number,
): Uint8Array<ArrayBuffer> {
  const memories = readModule(bytes).memories;
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
  const header = [5, ...leb(content.length)];
  const limited = new Uint8Array(
    bytes.length - (section.end - section.start) + header.length + content.length,
  );
  limited.set(bytes.subarray(0, section.start));
  limited.set(header, section.start);
  limited.set(content, section.start + header.length);
  limited.set(bytes.subarray(section.end), section.start + header.length + content.length);
  return limited;
}

function leb(value: number): number[] {
  const bytes: number[] = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push((value % 128) | 128);
  bytes.push(value);
  return bytes;
}
