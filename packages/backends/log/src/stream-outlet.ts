import type { Writable } from "node:stream";
import { type Outlet, type OutletEvents, STUCK_MS } from "./outlet.ts";

/** Lines into a stream of Node. It may be slow, full, gone or broken. */
export class StreamOutlet implements Outlet {
  readonly terminal: boolean;
  readonly #stream: Writable;
  readonly #most: number;
  readonly #events: OutletEvents;
  readonly #onError = (error: Error): void => void (this.#failure = error);
  #waiting = 0;
  #lines = 0;
  /** When the last line was taken, or the first of those that wait came. */
  #movedAt = 0;
  #failure: Error | undefined;
  #closed: (() => void) | undefined;
  #ended = false;

  constructor(stream: Writable, bufferBytes: number, events: OutletEvents) {
    this.#stream = stream;
    this.#most = bufferBytes;
    this.#events = events;
    this.terminal = (stream as { readonly isTTY?: boolean }).isTTY === true;
    stream.on("error", this.#onError);
  }

  get waiting(): number {
    return this.#waiting;
  }

  get trouble(): string | undefined {
    if (this.#failure !== undefined) return `the stream has failed: ${this.#failure.message}`;
    if (!this.#stream.writable) return "the stream is closed";
    if (this.#waiting === 0 || performance.now() - this.#movedAt < STUCK_MS) return undefined;
    return `the stream takes nothing: ${this.#waiting} bytes wait`;
  }

  write(line: string): boolean {
    const size = Buffer.byteLength(line);
    if (this.#ended || !this.#stream.writable || this.#waiting + size > this.#most) return false;
    if (this.#waiting === 0) this.#movedAt = performance.now();
    this.#waiting += size;
    this.#lines++;
    try {
      this.#stream.write(line, (error) => this.#written(size, error ?? undefined));
    } catch (error) {
      this.#written(size, error instanceof Error ? error : new Error(String(error)));
    }
    return true;
  }

  #written(size: number, error: Error | undefined): void {
    this.#waiting -= size;
    this.#lines--;
    this.#movedAt = performance.now();
    this.#failure = error;
    // What was under way when it was closed counts as lost already.
    if (this.#ended) return;
    if (error !== undefined) this.#events.lost(1);
    else if (this.#waiting === 0) this.#events.drained();
    if (this.#waiting === 0) this.#closed?.();
  }

  async close(timeoutMs: number): Promise<void> {
    if (this.#waiting > 0 && this.#stream.writable) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, timeoutMs);
      this.#closed = resolve;
      await promise;
      clearTimeout(timer);
    }
    this.#ended = true;
    this.#events.lost(this.#lines);
    // The stream is its owner's again, errors included, unless something is still under way: an error comes some time after it was known.
    if (this.#waiting === 0 && this.#failure === undefined)
      this.#stream.off("error", this.#onError);
  }
}
