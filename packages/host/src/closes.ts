import type { Clock } from "@dropthrough/dispatch";

/** What is to be closed when a caller has ended, the last one first. */
export class Closes {
  readonly #closes: (() => void | Promise<void>)[] = [];
  readonly #name: string;
  readonly #clock: Clock;
  readonly #withinMs: number;
  readonly #incident: (error: unknown) => void;

  /**
   * @param name whose they are
   * @param withinMs milliseconds that all of them may take; the rest is closed then, too, and nobody waits for it
   * @param incident hears of what cannot be closed, or not in time; the rest is closed all the same
   */
  constructor(name: string, clock: Clock, withinMs: number, incident: (error: unknown) => void) {
    this.#name = name;
    this.#clock = clock;
    this.#withinMs = withinMs;
    this.#incident = incident;
  }

  add(close: () => void | Promise<void>): void {
    this.#closes.push(close);
  }

  async run(): Promise<void> {
    if (this.#closes.length === 0) return;
    const late = Promise.withResolvers<void>();
    const stop = this.#clock.after(this.#withinMs, () => {
      this.#incident(
        new Error(`what ${this.#name} had opened was not closed within ${this.#withinMs} ms`),
      );
      late.resolve();
    });
    for (let close = this.#closes.pop(); close !== undefined; close = this.#closes.pop())
      await Promise.race([this.#run(close), late.promise]);
    stop();
  }

  async #run(close: () => void | Promise<void>): Promise<void> {
    try {
      await close();
    } catch (error) {
      this.#incident(error);
    }
  }
}
