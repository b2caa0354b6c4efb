import { CodecError } from "./codec-error.ts";

/** Refuses a range that is not inside the memory. */
export function checkRange(typeName: string, memory: Uint8Array, start: number, end: number): void {
  if (start >= 0 && start <= end && end <= memory.length) return;
  throw new CodecError(
    typeName,
    `${typeName}: [${start}, ${end}) is not inside a memory of ${memory.length} bytes`,
  );
}
