/** The empty bytes that every bytes field starts with: one for all, since nothing can be written to it. */
export const EMPTY: Uint8Array = new Uint8Array(0);

/** Bytes with a content known when compiling: the default of a bytes field in proto2. */
export function bytesOf(data: StaticArray<u8>): Uint8Array {
  const bytes = new Uint8Array(data.length);
  memory.copy(bytes.dataStart, changetype<usize>(data), data.length);
  return bytes;
}
