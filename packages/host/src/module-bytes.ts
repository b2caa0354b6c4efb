import { type FileHandle, open } from "node:fs/promises";
import { ModuleError } from "@dropthrough/abi";
import type { GuestConfig } from "./guest-config.ts";

/**
 * The bytes of a guest's module. A file that is too large is not read; of what has no size, such as a pipe, no more is read
 * than may be there.
 *
 * @param most bytes that it may have
 * @throws ModuleError if it has more, or cannot be read: that is its cause
 */
export async function readModule(
  module: GuestConfig["module"],
  most: number,
): Promise<Uint8Array<ArrayBuffer>> {
  if (module instanceof Uint8Array) {
    if (module.length > most) throw tooLarge(String(module.length), most);
    return module;
  }
  try {
    await using file = await open(module);
    const { size } = await file.stat();
    if (size > most) throw tooLarge(String(size), most);
    return await readAtMost(file, most);
  } catch (cause) {
    if (cause instanceof ModuleError) throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ModuleError(
      `its module cannot be read (${why}): build it first, or correct "module"`,
      { cause },
    );
  }
}

async function readAtMost(file: FileHandle, most: number): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array[] = [];
  let length = 0;
  const options = { autoClose: false, end: most, highWaterMark: 2 ** 20 };
  for await (const part of file.createReadStream(options) as AsyncIterable<Uint8Array>) {
    parts.push(part);
    length += part.length;
  }
  if (length > most) throw tooLarge(`more than ${most}`, most);
  return new Uint8Array(Buffer.concat(parts, length));
}

function tooLarge(size: string, most: number): ModuleError {
  return new ModuleError(
    `its module has ${size} bytes, above its limit of ${most}: strip its debug information, or raise moduleBytes`,
  );
}
