import { Chain, type Link } from "./chain.ts";
import type { Clock } from "./guest.ts";

/** Something to be done at a moment. */
export interface Alarm {
  /** In milliseconds on the clock; it does not change as long as the alarm is set. */
  readonly at: number;
  /** It was cancelled. */
  readonly over: boolean;
  ring(): void;
}

/** An alarm that is most often cancelled before its moment matters: it looks its moment up when it is asked to. */
export interface LateAlarm extends Alarm, Link<LateAlarm> {
  lookUp(): void;
}

/** An alarm of `Clock.after`. */
class Timeout implements Alarm {
  readonly at: number;
  over = false;
  readonly #run: () => void;

  constructor(at: number, run: () => void) {
    this.at = at;
    this.#run = run;
  }

  ring(): void {
    this.over = true;
    this.#run();
  }
}

/** A timer takes at most 2^31 - 1 ms; what is further away has to wait again. */
const MAX_TIMER = 2 ** 31 - 1;
/**
 * In milliseconds: a timer that is set when there was none is no longer than this, so that nothing waits long for its end; and late
 * alarms are asked for their moment by then.
 */
const FIRST = 20;
/** So many cancelled alarms are kept at most, and as many as there are others. */
const KEPT = 64;

/**
 * The alarms of a clock on one timer of the machine. Most alarms are the deadlines of calls that end long before: a timer
 * for each would cost more than the call.
 *
 * ```text
 *  after(30,000) ─▶ heap by time ─▶ the timer, for the first of them
 *  addLater ─▶ chain ─ 20 ms ─┘
 *  cancel ─▶ out of the chain; in the heap marked, and taken out when it would be first, or when there are too many
 * ```
 *
 * When the last alarm is cancelled, a long timer is cleared, so that it does not hold the process; a short one is left for
 * the alarms to come.
 */
export class Alarms {
  #heap: Alarm[] = [];
  readonly #late = new Chain<LateAlarm>();
  /** How many of them are not cancelled. */
  #live = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #timerAt = Infinity;
  #short = false;
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** `Clock.after` */
  after(ms: number, run: () => void): () => void {
    const alarm = new Timeout(this.#now() + (ms > 0 ? ms : 0), run);
    this.add(alarm);
    return () => {
      if (alarm.over) return;
      alarm.over = true;
      this.cancelled();
    };
  }

  /** Sets an alarm. Whoever cancels it marks it as `over` and tells `cancelled`, both before anything else may run. */
  add(alarm: Alarm): void {
    this.#live++;
    this.#push(alarm);
    if (alarm.at >= this.#timerAt) return;
    const now = this.#now();
    const first = this.#timer === undefined && alarm.at > now + FIRST;
    this.#set(first ? now + FIRST : alarm.at, now);
    this.#short = first;
  }

  /**
   * Sets an alarm whose moment is looked up within 20 ms: a look at the clock takes as long as all else that is done here. Whoever
   * cancels it before then takes it out by `cancelLater`.
   */
  addLater(alarm: LateAlarm): void {
    this.#live++;
    this.#late.add(alarm);
    if (this.#short) return;
    const now = this.#now();
    if (this.#timerAt > now + FIRST) this.#set(now + FIRST, now);
    this.#short = true;
  }

  /** An alarm whose moment was not looked up is over. */
  cancelLater(alarm: LateAlarm): void {
    this.#late.remove(alarm);
    this.cancelled();
  }

  #lookUp(): void {
    for (let alarm; (alarm = this.#late.first) !== undefined;) {
      this.#late.remove(alarm);
      alarm.lookUp();
      this.#push(alarm);
    }
  }

  /** How many alarms are kept in order, cancelled ones too. */
  get kept(): number {
    return this.#heap.length;
  }

  /** An alarm that was set, and has not rung, is over. */
  cancelled(): void {
    if (--this.#live === 0) {
      this.#heap.length = 0;
      if (!this.#short) this.#clear();
    } else if (this.#heap.length > 2 * this.#live + KEPT) {
      // In the order of their time, they are a heap.
      this.#heap = this.#heap.filter(({ over }) => !over).toSorted((a, b) => a.at - b.at);
    }
  }

  #set(at: number, now: number): void {
    clearTimeout(this.#timer);
    this.#timerAt = at;
    // Timers of the machine go by whole milliseconds; one that is early finds nothing to do, and is set again.
    const ms = Math.max(0, Math.ceil(at - now));
    this.#timer = setTimeout(() => this.#ring(), Math.min(ms, MAX_TIMER));
  }

  #clear(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#timerAt = Infinity;
    this.#short = false;
  }

  #ring(): void {
    this.#clear();
    this.#lookUp();
    const now = this.#now();
    try {
      for (
        let first = this.#first();
        first !== undefined && first.at <= now;
        first = this.#first()
      ) {
        this.#pop();
        this.#live--;
        first.ring();
      }
    } finally {
      const next = this.#first();
      if (next !== undefined && next.at < this.#timerAt) this.#set(next.at, this.#now());
    }
  }

  /** The next alarm; those that were cancelled before it are taken out. */
  #first(): Alarm | undefined {
    while (this.#heap[0]?.over === true) this.#pop();
    return this.#heap[0];
  }

  #push(alarm: Alarm): void {
    const heap = this.#heap;
    let place = heap.push(alarm) - 1;
    while (place > 0) {
      const above = (place - 1) >> 1;
      const parent = heap[above];
      if (parent === undefined || parent.at <= alarm.at) break;
      heap[place] = parent;
      place = above;
    }
    heap[place] = alarm;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let place = 0;
    for (;;) {
      let below = 2 * place + 1;
      if ((heap[below + 1]?.at ?? Infinity) < (heap[below]?.at ?? Infinity)) below++;
      const child = heap[below];
      if (child === undefined || child.at >= last.at) break;
      heap[place] = child;
      place = below;
    }
    heap[place] = last;
  }
}

// Kept, since it is made anew, by a getter of Node's, whenever one asks for the global of that name.
const { performance } = globalThis;
const now = (): number => performance.now();
/** The alarms of the system clock. */
export const systemAlarms: Alarms = new Alarms(now);

/** The clock of the machine. */
export const systemClock: Clock = {
  now,
  wall: () => Date.now(),
  after: (ms, run) => systemAlarms.after(ms, run),
};
