import type { Clock } from "./guest.ts";
import { type Alarms, systemAlarms, systemClock } from "./system-clock.ts";

/**
 * Time and order as one thing: every delivery whose order nothing promises goes through it, such as the answer of an
 * asynchronous handler, the next call of a queue, or the start of an instance. Replaceable, so that a test can choose
 * any legal order and meet the same one again.
 */
export interface Scheduler extends Clock {
  /** Calls `run` once, after what runs now. */
  soon(run: () => void): void;
  /** Calls one of the two once, after the promise has settled. */
  settled<T>(
    promise: PromiseLike<T>,
    done: (value: T) => void,
    failed: (error: unknown) => void,
  ): void;
  /** Nobody chooses the order: what a callback brings may be told as it comes, with no delivery. */
  readonly prompt?: boolean;
  /** Where `after` keeps its alarms, for those that need no function to ring them. */
  readonly alarms?: Alarms;
}

const now = Promise.resolve();

/** The scheduler on a clock: the clock itself if it is one, else deliveries are microtasks, first come, first served. */
export function schedulerOn(clock: Clock | Scheduler): Scheduler {
  if ("soon" in clock) return clock;
  return {
    now: () => clock.now(),
    ...(clock.wall && { wall: () => clock.wall?.() ?? clock.now() }),
    after: (ms, run) => clock.after(ms, run),
    // Node's queueMicrotask does the same in several times the time, since it keeps its async hooks informed.
    soon: (run) => void now.then(run),
    settled: (promise, done, failed) => void promise.then(done, failed),
    prompt: true,
  };
}

/** The order of the machine, on its clock. */
export const systemScheduler: Scheduler = { ...schedulerOn(systemClock), alarms: systemAlarms };
