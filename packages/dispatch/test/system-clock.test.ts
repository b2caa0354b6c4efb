import { setTimeout as sleep } from "node:timers/promises";
import { execFileSync } from "node:child_process";
import { describe, expect, test, vi } from "vitest";
import { Alarms, type LateAlarm } from "../src/system-clock.ts";

/** Alarms on a clock that a test moves, and on the machine's timers. */
function frozen(): { alarms: Alarms; move: (ms: number) => void } {
  let now = 0;
  return { alarms: new Alarms(() => now), move: (ms) => void (now += ms) };
}

/** A late alarm that notes when it is asked for its moment, and when it rings. */
function late(notes: string[], name: string, at: number): LateAlarm & { at: number } {
  return {
    at: 0,
    over: false,
    next: undefined,
    previous: undefined,
    lookUp() {
      notes.push(`look ${name}`);
      this.at = at;
    },
    ring: () => void notes.push(`ring ${name}`),
  };
}

describe("late alarms", () => {
  test("are asked for their moment once, within 20 ms, and ring in order with all others", () => {
    // On a busy machine, all of these moments may be over when the first timer rings.
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    try {
      const alarms = new Alarms(() => performance.now());
      const start = performance.now();
      const notes: string[] = [];
      alarms.addLater(late(notes, "second", start + 60));
      alarms.addLater(late(notes, "first", start + 40));
      alarms.after(50, () => notes.push("ring another"));
      vi.advanceTimersByTime(20);
      expect(notes.toSorted()).toEqual(["look first", "look second"]);
      vi.advanceTimersByTime(35);
      expect(notes.slice(2)).toEqual(["ring first", "ring another"]);
      vi.advanceTimersByTime(5);
      expect(notes.slice(4)).toEqual(["ring second"]);
      expect(alarms.kept).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  test.each(["before", "after"])("hold up no earlier alarm that is set %s them", async (order) => {
    const alarms = new Alarms(() => performance.now());
    const notes: string[] = [];
    const set = (): unknown => alarms.after(2, () => notes.push("rung"));
    if (order === "before") set();
    alarms.addLater(late(notes, "late", performance.now() + 1e6));
    if (order === "after") set();
    // The machine's timers ring in the order of their moments, too.
    await sleep(12);
    expect(notes).toEqual(["look late", "rung"]);
  });

  test("that were cancelled before are never asked, and are not kept", async () => {
    const alarms = new Alarms(() => performance.now());
    const notes: string[] = [];
    const all = ["a", "b", "c", "d"].map((name) => late(notes, name, Infinity));
    for (const alarm of all) alarms.addLater(alarm);
    for (const i of [1, 3, 0]) alarms.cancelLater(all[i] as LateAlarm);
    await new Promise<void>((resolve) => alarms.after(30, resolve));
    expect(notes).toEqual(["look c"]);
    expect(alarms.kept).toBe(1);
    Object.assign(all[2] as LateAlarm, { over: true });
    alarms.cancelled();
    expect(alarms.kept).toBe(0);
  });
});

describe("alarms", () => {
  test("that fall due while others ring never ask the machine for a time that is over", async () => {
    const warnings: string[] = [];
    const listener = (warning: Error): void => void warnings.push(warning.name);
    process.on("warning", listener);
    const { alarms, move } = frozen();
    await new Promise<void>((resolve) => {
      // The first takes long: when it has rung, the second is 60 ms late.
      alarms.after(0, () => move(60));
      alarms.after(0.5, resolve);
    });
    await new Promise((resolve) => void setImmediate(resolve));
    process.off("warning", listener);
    expect(warnings).toEqual([]);
  });

  test("ring in the order of their time, whatever the order they were set in", async () => {
    // All are set at one moment, however long that takes.
    let held: number | undefined = performance.now();
    const alarms = new Alarms(() => held ?? performance.now());
    const rung: number[] = [];
    await new Promise<void>((resolve) => {
      for (const ms of [25, 5, 40, 1, 30, 10, 35, 15, 20, 0])
        alarms.after(ms, () => {
          rung.push(ms);
          if (ms === 40) resolve();
        });
      held = undefined;
    });
    expect(rung).toEqual([0, 1, 5, 10, 15, 20, 25, 30, 35, 40]);
    expect(alarms.kept).toBe(0);
  });

  test("ring neither early nor, on a machine with nothing else to do, much too late", async () => {
    const alarms = new Alarms(() => performance.now());
    for (const ms of [3, 30, 60]) {
      const start = performance.now();
      await new Promise<void>((resolve) => alarms.after(ms, resolve));
      const took = performance.now() - start;
      expect(took).toBeGreaterThanOrEqual(ms);
      expect(took).toBeLessThan(ms + 1000);
    }
  });

  test("that were cancelled do not ring, and cancelling twice is nothing", async () => {
    const alarms = new Alarms(() => performance.now());
    const rung: string[] = [];
    const stops = ["a", "b", "c"].map((name) => alarms.after(5, () => rung.push(name)));
    stops[1]?.();
    stops[1]?.();
    await new Promise<void>((resolve) => alarms.after(10, resolve));
    expect(rung).toEqual(["a", "c"]);
    stops[0]?.();
    expect(alarms.kept).toBe(0);
  });

  test("may set and cancel others while they ring", async () => {
    const alarms = new Alarms(() => performance.now());
    const rung: string[] = [];
    const stop = alarms.after(6, () => rung.push("stopped"));
    alarms.after(5, () => {
      rung.push("first");
      stop();
      alarms.after(0, () => rung.push("second"));
    });
    await new Promise<void>((resolve) => alarms.after(30, resolve));
    expect(rung).toEqual(["first", "second"]);
  });

  test("that were cancelled are not kept for the time they were set for", () => {
    const { alarms, move } = frozen();
    alarms.after(1e9, () => {});
    for (let i = 0; i < 10_000; i++) {
      alarms.after(Math.random() * 1e6, () => {})();
      move(0.1);
      expect(alarms.kept).toBeLessThanOrEqual(2 + 64);
    }
  });

  test("that were all cancelled do not hold the process", () => {
    const script = `
      import { systemClock } from ${JSON.stringify(new URL("../src/system-clock.ts", import.meta.url).href)};
      systemClock.after(60_000, () => {})();
      const stop = systemClock.after(60_000, () => {});
      setTimeout(stop, 100);`;
    const args = ["--input-type=module", "-e", script];
    expect(execFileSync(process.execPath, args, { encoding: "utf8", timeout: 30_000 })).toBe("");
  });

  test("further away than a timer of the machine can be do not ring at once", async () => {
    const alarms = new Alarms(() => performance.now());
    let rung = false;
    const stop = alarms.after(2 ** 33, () => (rung = true));
    await sleep(50);
    stop();
    expect(rung).toBe(false);
  });
});
