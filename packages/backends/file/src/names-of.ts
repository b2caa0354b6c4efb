import type { Dirent } from "node:fs";
import { setImmediate } from "node:timers/promises";
import type { FileSystem } from "./file-system.ts";

/** So many names are read before others get their turn: some ms. */
const NAMES_AT_ONCE = 2048;
// As bytes: also what is no UTF-8 can be told apart.
const BYTES = { encoding: "buffer", bufferSize: 1024 } as unknown as { encoding: "utf8" };

/** A name in a directory, and what it is of. */
export type Named = Dirent<Buffer>;

/** What is in a directory: at once, unless it is large. */
export function namesOf(
  fs: FileSystem,
  path: string,
  signal: AbortSignal,
): Buffer[] | Promise<Buffer[]> {
  const names: Buffer[] = [];
  const reading = readEach(fs, path, ({ name }) => void names.push(name));
  return reading.next().done === true ? names : finish(reading, signal).then(() => names);
}

/** Reads a directory, and pauses where others should have their turn. */
export function* readEach(
  fs: FileSystem,
  path: string,
  found: (entry: Named) => void,
): Generator<void, void> {
  const directory = fs.opendirSync(path, BYTES);
  try {
    let count = 0;
    for (let entry = directory.readSync(); entry !== null; entry = directory.readSync()) {
      found(entry as unknown as Named);
      if (++count % NAMES_AT_ONCE === 0) yield;
    }
  } finally {
    directory.closeSync();
  }
}

/** Reads what is left of it, a turn for each piece. */
export async function finish(reading: Generator<void, void>, signal: AbortSignal): Promise<void> {
  // A loop that is left, by an error too, closes the directory.
  for (const _ of reading) {
    await setImmediate();
    signal.throwIfAborted();
  }
}
