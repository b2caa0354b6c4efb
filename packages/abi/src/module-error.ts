/** The bytes are no WebAssembly module that could be read. */
export class ModuleError extends Error {
  override name = "ModuleError";
}

const MOST_LETTERS = 120;

/** A sentence is no place for a name of a megabyte. */
export function cut(text: string): string {
  return text.length > MOST_LETTERS ? `${text.slice(0, MOST_LETTERS)}…` : text;
}
