import { KEEP } from "./writer";

/**
 * A buffer that the host writes bodies into, used again and again.
 *
 * There are two, since a handler calls others while it answers: its request came through `requests`, what
 * its own calls are answered comes through `responses`. Both are globals: the garbage collector neither
 * frees nor moves them while the guest is suspended.
 */
@final
export class Scratch {
  private buffer: ArrayBuffer = new ArrayBuffer(4096);
  /** How many bytes of it hold a body. */
  length: i32 = 0;

  get ptr(): usize {
    return changetype<usize>(this.buffer);
  }

  get capacity(): i32 {
    return this.buffer.byteLength;
  }

  /** Makes room for `length` bytes; what it held is gone. */
  reserve(length: i32): void {
    if (length > this.buffer.byteLength) this.buffer = new ArrayBuffer(length);
  }

  /** Gives a buffer back that one large body needed. */
  trim(): void {
    if (this.buffer.byteLength > KEEP) this.buffer = new ArrayBuffer(4096);
  }

  /** A copy of the body. */
  toBytes(): Uint8Array {
    const copy = new Uint8Array(this.length);
    memory.copy(copy.dataStart, this.ptr, this.length);
    return copy;
  }
}

/** Where the host puts the answers to this guest's calls. */
export const responses: Scratch = new Scratch();

/** Where the request of the call that is being served stands. */
export const requests: Scratch = new Scratch();
