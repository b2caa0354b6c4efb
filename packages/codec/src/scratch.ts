import { copyBytes } from "./read-bytes.ts";

/** The array that messages are encoded into before their size is known: kept, up to this many bytes. */
const KEPT = 1 << 20;
let kept: Uint8Array<ArrayBuffer> | undefined = new Uint8Array(1 << 12);

/**
 * Lets `write` fill a scratch array, a bigger one for as long as it answers -1, and answers a copy of as many bytes as
 * it wrote.
 */
export function withScratch(write: (scratch: Uint8Array) => number): Uint8Array<ArrayBuffer> {
  // While we write, it is nobody else's.
  const reused = kept;
  let scratch = reused ?? new Uint8Array(1 << 12);
  kept = undefined;
  try {
    for (;;) {
      const length = write(scratch);
      if (length >= 0) return copyBytes(scratch, 0, length);
      scratch = new Uint8Array(scratch.length * 2);
    }
  } finally {
    kept = scratch.length <= KEPT ? scratch : reused;
  }
}
