import type { Clock } from "@dropthrough/dispatch";

/** Seconds' worth of records that may come at once. */
const BURST_SECONDS = 10;

/** A token bucket: so many a second on average, ten seconds' worth at once. */
export class Rate {
  readonly #perSecond: number;
  readonly #clock: Clock;
  #tokens: number;
  #filledAt: number;
  #dropped = 0;

  constructor(perSecond: number, clock: Clock) {
    this.#perSecond = perSecond;
    this.#clock = clock;
    this.#tokens = perSecond * BURST_SECONDS;
    this.#filledAt = clock.now();
  }

  /** Takes one; false, and counted, if there is none. */
  take(): boolean {
    const now = this.#clock.now();
    const most = this.#perSecond * BURST_SECONDS;
    this.#tokens = Math.min(most, this.#tokens + ((now - this.#filledAt) / 1000) * this.#perSecond);
    this.#filledAt = now;
    if (this.#tokens < 1) {
      this.#dropped++;
      return false;
    }
    this.#tokens--;
    return true;
  }

  /** How many were refused since this was asked last. */
  dropped(): number {
    const dropped = this.#dropped;
    this.#dropped = 0;
    return dropped;
  }
}
