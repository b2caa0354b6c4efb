import { closeSync, fstatSync, writev, writevSync } from "node:fs";
import { isatty } from "node:tty";
import type { Outlet, OutletEvents } from "./outlet.ts";

/** How many lines go in one system call. */
const MOST_LINES = 512;
/** A file that took longer for a line, in milliseconds, is written to behind the guests' backs until it is fast again. */
const SLOW_MS = 50;
/** Milliseconds until it is tried again: a pipe that is full, and whatever else went wrong. */
const FULL_MS = 20;
const FAILED_MS = 1_000;
/** Milliseconds that a pipe may be full before it counts as trouble. */
const STUCK_MS = 1_000;

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
  readonly #fd: number;
  readonly #own: boolean;
  readonly #blocking: boolean;
  readonly #most: number;
  readonly #events: OutletEvents;
  #queue: Buffer[] = [];
  #waiting = 0;
  #slow = false;
  /** A thread is writing. */
  #busy = false;
  #failure: NodeJS.ErrnoException | undefined;
  #failedAt = 0;
  #tryAt = 0;
  #timer: NodeJS.Timeout | undefined;
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
    if (this.#failure === undefined) return undefined;
    if (this.#failure.code !== "EAGAIN") return `writing fails: ${this.#failure.message}`;
    const stuck = performance.now() - this.#failedAt >= STUCK_MS;
    return stuck ? `nobody reads: ${this.#waiting} bytes wait` : undefined;
  }

  write(line: string): boolean {
    const bytes = Buffer.from(line);
    if (this.#ended || this.#waiting + bytes.length > this.#most) return false;
    this.#queue.push(bytes);
    this.#waiting += bytes.length;
    // A guest that never lets go of the thread lets no timer run either.
    if (this.#failure === undefined || performance.now() >= this.#tryAt) this.#flush();
    return true;
  }

  #flush(): void {
    clearTimeout(this.#timer);
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
      if (error !== null) return this.#failed(error);
      this.#slow = performance.now() - start > SLOW_MS;
      this.#took(written);
      this.#flush();
    });
  }

  #took(bytes: number): void {
    this.#failure = undefined;
    this.#waiting -= bytes;
    let whole = 0;
    for (let left = bytes; left > 0; whole++) {
      const line = this.#queue[whole];
      if (line === undefined) break;
      if (line.length > left) {
        this.#queue[whole] = line.subarray(left);
        break;
      }
      left -= line.length;
    }
    this.#queue = this.#queue.slice(whole);
    if (this.#waiting > 0) return;
    this.#events.drained();
    this.#closed?.();
  }

  #failed(error: NodeJS.ErrnoException): void {
    if (this.#failure?.code !== error.code) this.#failedAt = performance.now();
    this.#failure = error;
    const full = error.code === "EAGAIN";
    // The next line tries a full pipe at once after a millisecond, so that a reader is not kept waiting.
    this.#tryAt = performance.now() + (full ? 1 : FAILED_MS);
    this.#timer = setTimeout(() => this.#flush(), full ? FULL_MS : FAILED_MS).unref();
    if (!full) this.#closed?.();
  }

  async close(timeoutMs: number): Promise<void> {
    this.#flush();
    const { promise, resolve } = Promise.withResolvers<void>();
    if (this.#waiting > 0 && this.trouble === undefined) {
      const timer = setTimeout(resolve, timeoutMs);
      this.#closed = resolve;
      await promise;
      clearTimeout(timer);
    }
    clearTimeout(this.#timer);
    this.#ended = true;
    this.#events.lost(this.#queue.length);
    this.#queue = [];
    // A descriptor that a thread writes to is not closed under its hands.
    if (!this.#busy) this.#letGo();
  }

  #letGo(): void {
    if (this.#own) closeSync(this.#fd);
  }
}
