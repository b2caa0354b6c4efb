import { closeSync, fstatSync, writev, writevSync } from "node:fs";
import { isatty } from "node:tty";
import { type Outlet, type OutletEvents, STUCK_MS } from "./outlet.ts";

/** How many lines go in one system call. */
const MOST_LINES = 512;
/** A file that took longer for a line, in milliseconds, is written to behind the guests' backs until it is fast again. */
const SLOW_MS = 50;
/** Milliseconds until it is tried again: a pipe that is full, and whatever else went wrong. */
const FULL_MS = 20;
const FAILED_MS = 1_000;

/**
 * Lines into a file descriptor. Where the operating system takes them at once, a line stands there before Write answers, and
 * outlives a crash of the host.
 *
 * ```text
 *  a line ─▶ does one wait? ── no ─▶ written (writev)
 *               └── yes ─▶ the queue ─▶ tried again: a full pipe after 20 ms, a full disk after a second
 * ```
 *
 * Pipes and terminals are not blocking. A file is, so one that is slow is written to by a thread of Node's pool.
 */
export class DescriptorOutlet implements Outlet {
  readonly terminal: boolean;
  #fd: number;
  readonly #own: boolean;
  readonly #blocking: boolean;
  readonly #most: number;
  readonly #events: OutletEvents;
  #queue: Buffer[] = [];
  /** The first line of the queue, if a part of it is written and no longer there. */
  #torn: Buffer | undefined;
  #waiting = 0;
  #slow = false;
  /** A thread is writing. */
  #busy = false;
  #failure: NodeJS.ErrnoException | undefined;
  /** When the last line was taken, or the first of those that wait came. */
  #movedAt = 0;
  #tryAt = 0;
  #timer: NodeJS.Timeout | undefined;
  /** The file to go on in, once no thread is writing. */
  #next: number | undefined;
  #closed: (() => void) | undefined;
  #ended = false;

  /** @param own whether closing it closes the descriptor; a pipe or terminal must not be blocking */
  constructor(fd: number, own: boolean, bufferBytes: number, events: OutletEvents) {
    this.#fd = fd;
    this.#own = own;
    this.#blocking = fstatSync(fd).isFile();
    this.#most = bufferBytes;
    this.#events = events;
    this.terminal = isatty(fd);
  }

  get waiting(): number {
    return this.#waiting;
  }

  get trouble(): string | undefined {
    if (this.#failure !== undefined && this.#failure.code !== "EAGAIN")
      return `writing fails: ${this.#failure.message}`;
    if (this.#waiting === 0 || performance.now() - this.#movedAt < STUCK_MS) return undefined;
    const why = this.#blocking ? "writing takes long" : "nobody reads";
    return `${why}: ${this.#waiting} bytes wait`;
  }

  write(line: string): boolean {
    const bytes = Buffer.from(line);
    if (this.#ended || this.#waiting + bytes.length > this.#most) return false;
    if (this.#waiting === 0) this.#movedAt = performance.now();
    this.#queue.push(bytes);
    this.#waiting += bytes.length;
    // A guest that never lets go of the thread lets no timer run either.
    if (this.#failure === undefined || performance.now() >= this.#tryAt) this.#flush();
    return true;
  }

  /** Goes on in another file, which is closed as this one was: with the line of which this one has but a part. */
  goOnIn(fd: number): void {
    if (this.#busy) {
      if (this.#next !== undefined) release(this.#next);
      this.#next = fd;
      return;
    }
    release(this.#fd);
    this.#fd = fd;
    this.#failure = undefined;
    this.#restore("");
    this.#flush();
  }

  /** Puts the part of a line that is gone in front of its rest again, behind `end`. */
  #restore(end: string): void {
    const [rest] = this.#queue;
    if (this.#torn === undefined || rest === undefined) return;
    const line = Buffer.concat([Buffer.from(end), this.#torn]);
    this.#waiting += line.length - rest.length;
    this.#queue[0] = line;
    this.#torn = undefined;
  }

  #flush(): void {
    clearTimeout(this.#timer);
    // Whoever emptied a file of a full disk took the part as well.
    const isTorn = this.#torn !== undefined && this.#blocking && !this.#busy;
    if (isTorn && fstatSync(this.#fd).size === 0) this.#restore("");
    while (this.#queue.length > 0 && !this.#busy) {
      const lines = this.#queue.slice(0, MOST_LINES);
      if (this.#slow) return this.#flushLater(lines);
      const start = performance.now();
      try {
        this.#took(writevSync(this.#fd, lines));
      } catch (error) {
        return this.#failed(error as NodeJS.ErrnoException);
      }
      this.#slow = this.#blocking && performance.now() - start > SLOW_MS;
    }
  }

  #flushLater(lines: Buffer[]): void {
    this.#busy = true;
    const start = performance.now();
    writev(this.#fd, lines, (error, written) => {
      this.#busy = false;
      if (this.#ended) return this.#letGo();
      if (error === null) {
        this.#slow = performance.now() - start > SLOW_MS;
        this.#took(written);
      }
      const next = this.#next;
      this.#next = undefined;
      if (next !== undefined) this.goOnIn(next);
      else if (error === null) this.#flush();
      else this.#failed(error);
    });
  }

  #took(bytes: number): void {
    this.#failure = undefined;
    this.#movedAt = performance.now();
    this.#waiting -= bytes;
    let whole = 0;
    for (let left = bytes; left > 0; whole++) {
      const line = this.#queue[whole];
      if (line === undefined) break;
      if (line.length > left) {
        this.#torn ??= line;
        this.#queue[whole] = line.subarray(left);
        break;
      }
      this.#torn = undefined;
      left -= line.length;
    }
    this.#queue = this.#queue.slice(whole);
    if (this.#waiting > 0) return;
    this.#events.drained();
    this.#closed?.();
  }

  #failed(error: NodeJS.ErrnoException): void {
    this.#failure = error;
    // Whoever reads a pipe next may find the part in it, or not.
    if (error.code === "EPIPE") this.#restore("\n");
    const full = error.code === "EAGAIN";
    // The next line tries a full pipe at once after a millisecond, so that a reader is not kept waiting.
    this.#tryAt = performance.now() + (full ? 1 : FAILED_MS);
    this.#timer = setTimeout(() => this.#flush(), full ? FULL_MS : FAILED_MS).unref();
    if (!full) this.#closed?.();
  }

  async close(timeoutMs: number): Promise<void> {
    this.#flush();
    const { promise, resolve } = Promise.withResolvers<void>();
    if (this.#waiting > 0 && (this.#busy || this.trouble === undefined)) {
      const timer = setTimeout(resolve, timeoutMs);
      this.#closed = resolve;
      await promise;
      clearTimeout(timer);
    }
    clearTimeout(this.#timer);
    this.#ended = true;
    // A line feed alone is the end of another line.
    this.#events.lost(this.#queue.filter((line) => line.length > 1).length);
    this.#queue = [];
    // A descriptor that a thread writes to is not closed under its hands.
    if (!this.#busy) this.#letGo();
  }

  #letGo(): void {
    if (this.#next !== undefined) release(this.#next);
    if (this.#own) release(this.#fd);
  }
}

/** Closes a descriptor. */
function release(fd: number): void {
  try {
    closeSync(fd);
  } catch {
    // A file on a network may say only now what it could not write. The descriptor is closed all the same.
  }
}
