import type { Writable } from "node:stream";
import type { Outlet, OutletEvents } from "./outlet.ts";

/** Lines into a stream of Node. It may be slow, full, gone or broken. */
export class StreamOutlet implements Outlet {
  readonly terminal: boolean;
  readonly #stream: Writable;
  readonly #most: number;
  readonly #events: OutletEvents;
  readonly #onError = (error: Error): void => void (this.#failure = error);
  #waiting = 0;
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
    return this.#stream.writable ? undefined : "the stream is closed";
  }

  write(line: string): boolean {
    const size = Buffer.byteLength(line);
    if (this.#ended || !this.#stream.writable || this.#waiting + size > this.#most) return false;
    this.#waiting += size;
    try {
      this.#stream.write(line, (error) => this.#written(size, error ?? undefined));
    } catch (error) {
      this.#written(size, error instanceof Error ? error : new Error(String(error)));
    }
    return true;
  }

  #written(size: number, error: Error | undefined): void {
    this.#waiting -= size;
    this.#failure = error;
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
    // The stream is its owner's again, errors included, unless something is still under way.
    if (this.#waiting === 0) this.#stream.off("error", this.#onError);
  }
}
