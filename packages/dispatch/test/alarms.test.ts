import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Alarms, type LateAlarm } from "../src/system-clock.ts";

/** In milliseconds: a late alarm is asked for its moment by then. */
const FIRST = 20;

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] }));
afterEach(() => void vi.useRealTimers());

/** An alarm as a naive clock would have it. */
class Expected implements LateAlarm {
  /** As its call knows it: 0 until it is looked up. */
  at = 0;
  over = false;
  next: LateAlarm | undefined = undefined;
  previous: LateAlarm | undefined = undefined;
  rung = 0;
  readonly set = performance.now();
  readonly ms: number;
  readonly early: boolean;
  readonly #rings: () => void;

  constructor(ms: number, early: boolean, rings: () => void) {
    this.ms = ms;
    this.early = early;
    this.#rings = rings;
    if (!early) this.at = this.set + ms;
  }

  lookUp(): void {
    if (this.at !== 0 || this.over) throw new Error("it is looked up again, or was cancelled");
    if (performance.now() - this.set > FIRST) throw new Error("it is looked up late");
    this.at = performance.now() + this.ms;
  }

  ring(): void {
    if (this.over) throw new Error("it rings again, or was cancelled");
    if (performance.now() < this.at) throw new Error("it rings early");
    this.over = true;
    this.rung++;
    this.#rings();
  }
}

test.each([1, 2])("each alarm rings once, in time, unless it was cancelled (seed %i)", (seed) => {
  let state = seed;
  const below = (count: number): number => {
    state = (state + 0x9e3779b9) | 0;
    const mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    return Math.floor(((Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97) >>> 0) / 2 ** 32) * count);
  };
  const alarms = new Alarms(() => performance.now());
  const all: Expected[] = [];
  const live = (): Expected[] => all.filter(({ over }) => !over);
  const cancel = (): void => {
    const open = live();
    const alarm = open[below(open.length)];
    if (alarm === undefined) return;
    alarm.over = true;
    if (alarm.at === 0) alarms.cancelLater(alarm);
    else alarms.cancelled();
  };
  const set = (): void => {
    const ms = below(4) === 0 ? 1000 + below(5000) : below(60) + below(2) / 2;
    const early = below(2) === 0;
    // What rings sets and cancels others.
    const alarm = new Expected(ms, early, () => [set, cancel, () => {}, () => {}][below(4)]?.());
    all.push(alarm);
    if (early) alarms.addLater(alarm);
    else alarms.add(alarm);
  };
  let [most, idle, kept] = [0, 0, 0];
  for (let step = 0; step < 2500; step++) {
    // At times many are set at once, and all of them, or all but one, cancelled.
    if (below(300) === 0) for (let i = 0; i < 200; i++) set();
    if (below(150) === 0) for (const left = below(2); live().length > left;) cancel();
    else [set, cancel, () => void vi.advanceTimersByTime(below(12))][below(3)]?.();
    if (below(100) === 0) vi.advanceTimersByTime(below(3000));
    const open = live();
    for (const { at, early, set: since } of open) {
      expect(performance.now()).toBeLessThan(at === 0 ? since + FIRST + 1 : at + 1);
      expect(at > 0 || early).toBe(true);
    }
    most = Math.max(most, open.length);
    kept = Math.max(kept, alarms.kept);
    expect(alarms.kept).toBeLessThanOrEqual(2 * open.length + 64);
    // One timer holds the process as long as one is set, and 20 ms more at most.
    if (open.length > 0) expect(vi.getTimerCount()).toBe(1);
    else {
      vi.advanceTimersByTime(FIRST);
      if (live().length > 0) continue;
      expect(vi.getTimerCount()).toBe(0);
      idle++;
    }
  }
  expect(Math.max(...all.map(({ rung }) => rung))).toBe(1);
  const rung = all.filter((alarm) => alarm.rung > 0).length;
  for (const [count, least] of [
    [most, 150],
    [kept, 60],
    [idle, 100],
    [rung, 300],
  ] as const)
    expect(count).toBeGreaterThan(least);
});
