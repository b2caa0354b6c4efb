import { ConnectError } from "@connectrpc/connect";
import { Code } from "./code.ts";
import { copyBytes } from "./slab.ts";

/**
 * A guest's linear memory, with the checks that every access needs.
 *
 * One view is kept for each memory, since making one costs more than a call does; growing the memory
 * detaches it, which shows as length 0. So nothing may keep `bytes` over a suspension.
 *
 * ```text
 *  0                ptr            ptr + len                byteLength
 *  ├── not touched ──┼── the region ──┼────── not touched ──────┤
 *  ptr, len: i32 from the guest, read as unsigned; ptr + len <= byteLength, computed without overflow
 * ```
 */
export class GuestMemory {
  readonly #memory: { readonly buffer: ArrayBufferLike };
  #bytes: Uint8Array;

  constructor(memory: { readonly buffer: ArrayBufferLike }) {
    this.#memory = memory;
    this.#bytes = new Uint8Array(memory.buffer);
  }

  /** All of the memory as it is now. Fetch it anew after anything that may have grown it. */
  get bytes(): Uint8Array {
    if (this.#bytes.length === 0) this.#bytes = new Uint8Array(this.#memory.buffer);
    return this.#bytes;
  }

  /** Whether `[ptr, ptr + len)` lies inside of the memory; both are unsigned already (`>>> 0`). */
  holds(ptr: number, len: number): boolean {
    return ptr + len <= this.bytes.length;
  }

  /**
   * Checks a region that the guest named.
   *
   * @throws ConnectError OUT_OF_RANGE if it does not lie inside of the memory
   */
  check(what: string, ptr: number, len: number): void {
    if (this.holds(ptr, len)) return;
    throw new ConnectError(
      `the ${what} at ${ptr} of ${len} bytes does not lie inside of the guest's memory of ${this.bytes.length} bytes`,
      Code.OutOfRange,
    );
  }

  /** A copy of a region that was checked. */
  copy(ptr: number, len: number): Uint8Array<ArrayBuffer> {
    return copyBytes(this.bytes, ptr, ptr + len);
  }
}
