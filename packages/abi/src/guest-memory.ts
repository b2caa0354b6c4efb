import { ConnectError } from "@connectrpc/connect";
import { Code } from "./code.ts";
import { type MemoryCopy, memoryCopy } from "./memory-copy.ts";
import { copyBytes } from "./slab.ts";

/** So many copies by JavaScript before two memories get a copier: that costs what some 1,000 of them do. */
const OFTEN = 256;
/** Above so many bytes the engine's own copy of arrays is the faster one. */
const LONG = 4096;

/** How bytes come out of another guest's memory. */
interface Source {
  times: number;
  copy: MemoryCopy | undefined;
}

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
  readonly #sources = new Map<GuestMemory, Source>();
  /** The memories that this one is a source of. */
  readonly #targets = new Set<GuestMemory>();
  /** The source of the last copy. */
  #lastMemory: GuestMemory | undefined;
  #lastSource: Source | undefined;

  constructor(memory: { readonly buffer: ArrayBufferLike }) {
    this.#memory = memory;
    this.#bytes = new Uint8Array(memory.buffer);
  }

  /** All of the memory as it is now. Fetch it anew after anything that may have grown it. */
  get bytes(): Uint8Array {
    return this.#bytes.length === 0 ? this.#attach() : this.#bytes;
  }

  #attach(): Uint8Array {
    return (this.#bytes = new Uint8Array(this.#memory.buffer));
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
    if (!this.holds(ptr, len)) this.#refuse(what, ptr, len);
  }

  #refuse(what: string, ptr: number, len: number): never {
    throw new ConnectError(
      `the ${what} at ${ptr} of ${len} bytes does not lie inside of the guest's memory of ${this.bytes.length} bytes`,
      Code.OutOfRange,
    );
  }

  /** A copy of a region that was checked. */
  copy(ptr: number, len: number): Uint8Array<ArrayBuffer> {
    return copyBytes(this.bytes, ptr, ptr + len);
  }

  /** Copies a region of another guest's memory to `to`; both regions were checked. */
  copyFrom(other: GuestMemory, from: number, to: number, len: number): void {
    if (len === 0) return;
    const source = this.#lastMemory === other ? this.#lastSource : this.#source(other);
    if (source?.copy !== undefined && len <= LONG) source.copy(to, from, len);
    else {
      this.bytes.set(other.bytes.subarray(from, from + len), to);
      if (source !== undefined && ++source.times === OFTEN) source.copy = this.#copier(other);
    }
  }

  #source(other: GuestMemory): Source {
    let source = this.#sources.get(other);
    if (source === undefined) {
      this.#sources.set(other, (source = { times: 0, copy: undefined }));
      other.#targets.add(this);
    }
    this.#lastMemory = other;
    this.#lastSource = source;
    return source;
  }

  #copier(other: GuestMemory): MemoryCopy | undefined {
    const [from, to] = [other.#memory, this.#memory];
    const real = from instanceof WebAssembly.Memory && to instanceof WebAssembly.Memory;
    return real ? memoryCopy(from, to) : undefined;
  }

  /** The guest is gone: nobody keeps its memory any more. */
  close(): void {
    for (const target of this.#targets) target.#forget(this);
    for (const source of this.#sources.keys()) source.#targets.delete(this);
    this.#targets.clear();
    this.#sources.clear();
    this.#lastMemory = this.#lastSource = undefined;
  }

  #forget(other: GuestMemory): void {
    this.#sources.delete(other);
    if (this.#lastMemory === other) this.#lastMemory = this.#lastSource = undefined;
  }
}
