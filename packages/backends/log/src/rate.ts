import type { Clock } from "@dropthrough/dispatch";
import type { LogLimits } from "./log-limits.ts";

/**
 * Two token buckets, of records and of bytes: so many a second on average, some seconds' worth at once.
 * A record's bytes are known once it is written, so it may overdraw; the next one waits for that.
 */
export class Rate {
  readonly #limits: LogLimits;
  readonly #clock: Clock;
  /** At once. */
  readonly #most: { readonly records: number; readonly bytes: number };
  #records: number;
  #bytes: number;
  #filledAt: number;

  constructor(limits: LogLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
    const { recordsPerSecond, bytesPerSecond, burstSeconds } = limits;
    const records = recordsPerSecond * burstSeconds;
    // Where there are some in the long run, there is one at a time.
    this.#most = {
      records: records > 0 ? Math.max(1, records) : 0,
      bytes: bytesPerSecond * burstSeconds,
    };
    this.#records = this.#most.records;
    this.#bytes = this.#most.bytes;
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
    const { recordsPerSecond, bytesPerSecond } = this.#limits;
    const now = this.#clock.now();
    const seconds = (now - this.#filledAt) / 1000;
    this.#filledAt = now;
    this.#records = Math.min(this.#most.records, this.#records + seconds * recordsPerSecond);
    this.#bytes = Math.min(this.#most.bytes, this.#bytes + seconds * bytesPerSecond);
  }
}
