import type { Scheduler } from "@dropthrough/dispatch";

interface Timer {
  readonly at: number;
  readonly run: () => void;
}

/** How a seed likes to choose, so that rare orders are not left to luck alone. */
type Taste = "any" | "newest" | "oldest";

/**
 * A frozen clock, and an order that a seed chooses: *legal but evil*. Whatever waits to be delivered may be next; a timer
 * only when it is due; what one promise led to is finished before the next delivery. When nothing waits, the
 * clock jumps to the next timer, so no real time passes. The same seed makes the same choices.
 *
 * ```text
 *  soon, settled ─▶ ┌ ready ┐            one of them, by the seed ─▶ run ─▶ all microtasks ─▶ the next
 *  after ─▶ timers ─▶ due ──┘   nothing: the clock jumps to the next timer
 * ```
 */
export class SeededScheduler implements Scheduler {
  readonly seed: number;
  /** Every choice so far: which one was taken, and of how many. */
  readonly choices: (readonly [taken: number, of: number])[] = [];
  readonly #taste: Taste;
  readonly #ready: (() => void)[] = [];
  readonly #timers = new Set<Timer>();
  #state: number;
  #now = 0;

  /** @param seed a whole number */
  constructor(seed: number) {
    this.seed = seed;
    this.#taste = (["any", "newest", "oldest"] as const)[Math.abs(seed) % 3] ?? "any";
    this.#state = seed | 0;
  }

  now(): number {
    return this.#now;
  }

  after(ms: number, run: () => void): () => void {
    const timer = { at: this.#now + Math.max(0, ms), run };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  soon(run: () => void): void {
    this.#ready.push(run);
  }

  settled<T>(
    promise: PromiseLike<T>,
    done: (value: T) => void,
    failed: (error: unknown) => void,
  ): void {
    promise.then(
      (value) => this.soon(() => done(value)),
      (error: unknown) => this.soon(() => failed(error)),
    );
  }

  /** How many deliveries wait, and how many timers are set. */
  get pending(): { readonly ready: number; readonly timers: number } {
    return { ready: this.#ready.length, timers: this.#timers.size };
  }

  /**
   * Delivers until a promise has settled; answers what it did.
   *
   * @throws Error if it has not, and nothing is left that could settle it; else what the promise was rejected with
   */
  async run<T>(until: PromiseLike<T>): Promise<T> {
    const waiting = new Set([until]);
    const over = (): void => void waiting.delete(until);
    until.then(over, over);
    let idle = 0;
    for (await turn(); waiting.size > 0; await turn()) {
      idle = this.#step() ? 0 : idle + 1;
      // Loading a module takes some turns of the event loop, and nothing of it waits here.
      if (idle > MOST_IDLE) {
        throw new Error(
          `seed ${this.seed}: nothing is left to deliver at ${this.#now} ms, and what was waited for has not happened`,
        );
      }
    }
    return until;
  }

  /** Delivers until nothing waits any more: neither a delivery nor, unless `timers` is false, a timer. */
  async drain({ timers = true }: { readonly timers?: boolean } = {}): Promise<void> {
    for (await turn(); this.#step(timers); await turn());
  }

  /** Delivers one; false if there is none. */
  #step(jump = true): boolean {
    if (this.#ready.length === 0 && jump) this.#jump();
    const due = [...this.#timers].filter((timer) => timer.at <= this.#now);
    const count = this.#ready.length + due.length;
    if (count === 0) return false;
    const taken = count === 1 ? 0 : this.#choose(count);
    this.choices.push([taken, count]);
    const timer = due[taken - this.#ready.length];
    if (timer !== undefined) {
      this.#timers.delete(timer);
      timer.run();
    } else this.#ready.splice(taken, 1)[0]?.();
    return true;
  }

  #jump(): void {
    let next = Infinity;
    for (const { at } of this.#timers) next = Math.min(next, at);
    if (next !== Infinity) this.#now = Math.max(this.#now, next);
  }

  #choose(count: number): number {
    if (this.#taste !== "any" && this.#random() < 0.8)
      return this.#taste === "newest" ? count - 1 : 0;
    return Math.floor(this.#random() * count);
  }

  /** Mulberry32: 0 ≤ x < 1. */
  #random(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let x = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
  }
}

const MOST_IDLE = 200;

/** A turn of the event loop: all microtasks that are due have run then, those that resume suspended guests too. */
async function turn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}
