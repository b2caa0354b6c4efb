/** Bytes that are read ahead at most: as many take one system call as 64 KiB do, and lie in the processor's cache after it. */
const MOST = 256 * 1024;
/** Longer reads are long enough by themselves. */
const LONGEST = 64 * 1024;

/** Where bytes are read from. */
export interface ReadSource {
  /** Reads up to `length` bytes of the file, from `offset` on, to `memory[at, at + length)`; answers how many. */
  take(memory: Uint8Array, at: number, length: number, offset: number): number;
}

/**
 * Short reads of one file that directly follow each other: what comes next is read with them, up to twice what there was. It
 * saves system calls, which take many times as long as the rest of a short read.
 *
 * ```text
 *  file      1 k │ 1 k │ 1 k │ 1 k │ 1 k │ 1 k │ ...
 *  on disk   ───── ─────────── ────────────────── ...   as long as all before, twice
 *  for guest ───── ───── ───── ───── ───── ───── ...
 * ```
 *
 * What is held is as old as the guest's run without a pause: it is dropped when any other call was made in the host, whoever made
 * it and whatever it is for (their ids tell), and when the guest waits or returns (a microtask). So nothing that a guest could have
 * heard of is older than what it reads.
 */
export class ReadAhead {
  /** The call that was the last to ask. */
  #asked = 0;
  /** The last that has read, and where the next would go on. */
  #call = 0;
  #source: ReadSource | undefined;
  #next = 0;
  /** Bytes that were read in a row. */
  #row = 0;
  #buffer: Buffer | undefined;
  /** Where in the file the buffer begins, and where what it holds ends. */
  #from = 0;
  #end = 0;
  #dropping = false;

  /** A call, by its id, has asked for bytes; they are read when they are encoded, which is at once, or an interceptor had other plans. */
  asks(call: number): void {
    this.#asked = call;
  }

  /** Reads as `source.take` does, for the call with that id. */
  read(
    source: ReadSource,
    memory: Uint8Array,
    at: number,
    length: number,
    offset: number,
    call: number,
  ): number {
    if (call !== this.#asked || length > LONGEST) return source.take(memory, at, length, offset);
    const goesOn =
      source === this.#source && offset === this.#next && call === this.#call + 1 && length > 0;
    if (!goesOn) this.#forget();
    this.#call = call;
    const read =
      goesOn && offset + length <= this.#end
        ? this.#copy(memory, at, length, offset)
        : this.#take(source, memory, at, length, offset);
    this.#source = source;
    this.#next = offset + read;
    this.#row += read;
    return read;
  }

  #copy(memory: Uint8Array, at: number, length: number, offset: number): number {
    const begin = offset - this.#from;
    return this.#buffer?.copy(memory, at, begin, begin + length) ?? 0;
  }

  #take(
    source: ReadSource,
    memory: Uint8Array,
    at: number,
    length: number,
    offset: number,
  ): number {
    const window = Math.min(MOST, 2 * this.#row);
    if (window <= length) return source.take(memory, at, length, offset);
    this.#buffer ??= Buffer.allocUnsafeSlow(MOST);
    this.#dropSoon();
    this.#from = this.#end = offset;
    this.#end += source.take(this.#buffer, 0, window, offset);
    return this.#copy(memory, at, Math.min(length, this.#end - offset), offset);
  }

  #dropSoon(): void {
    if (this.#dropping) return;
    this.#dropping = true;
    queueMicrotask(this.#drop);
  }

  readonly #drop = (): void => {
    this.#dropping = false;
    this.#forget();
  };

  #forget(): void {
    this.#source = undefined;
    this.#row = this.#end = 0;
  }
}
