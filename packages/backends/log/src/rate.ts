import type { Clock } from "@dropthrough/dispatch";
import type { LogLimits } from "./log-limits.ts";

/**
 * Two token buckets, of records and of bytes: so many a second on average, some seconds' worth at once.
 * A record's bytes are known once it is written, so it may overdraw; the next one waits for that.
 */
export class Rate {
  readonly #limits: LogLimits;
  readonly #clock: Clock;
  #records: number;
  #bytes: number;
  #filledAt: number;

  constructor(limits: LogLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
    this.#records = limits.recordsPerSecond * limits.burstSeconds;
    this.#bytes = limits.bytesPerSecond * limits.burstSeconds;
    this.#filledAt = clock.now();
  }

  /** Takes one record; false if there is none, or if the bytes of earlier ones are not paid for. */
  take(): boolean {
    this.#fill();
    if (this.#records < 1 || this.#bytes <= 0) return false;
    this.#records--;
    return true;
  }

  /** Takes the bytes of a record that was taken. */
  spend(bytes: number): void {
    this.#bytes -= bytes;
  }

  #fill(): void {
    const { recordsPerSecond, bytesPerSecond, burstSeconds } = this.#limits;
    const now = this.#clock.now();
    const seconds = (now - this.#filledAt) / 1000;
    this.#filledAt = now;
    this.#records = Math.min(
      recordsPerSecond * burstSeconds,
      this.#records + seconds * recordsPerSecond,
    );
    this.#bytes = Math.min(bytesPerSecond * burstSeconds, this.#bytes + seconds * bytesPerSecond);
  }
}
