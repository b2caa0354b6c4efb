import type { CallRecord, Directory, Guest } from "@dropthrough/dispatch";
import { SeededScheduler } from "@dropthrough/host/testing";
import { describe, expect, test } from "vitest";
import { Invariants } from "../src/invariants.ts";
import { command, service } from "../src/kernel-guest.ts";
import { play, playTwice } from "../src/play.ts";
import type { Scenario } from "../src/scenario.ts";

const call = { id: 1, name: "x.S/Echo", caller: { name: "a" } } as CallRecord;

describe("what holds in every scenario is missed where it does not", () => {
  test("a call that is never answered, or twice, or before it is made", () => {
    const schedule = new SeededScheduler(0);
    const open = new Invariants();
    open.started(call);
    expect(() => open.checkEnd(schedule)).toThrow("a x.S/Echo was never answered");
    const twice = new Invariants();
    twice.started(call);
    twice.ended(call);
    twice.ended(call);
    expect(() => twice.check()).toThrow("x.S/Echo was answered twice");
    const early = new Invariants();
    early.ended(call);
    expect(() => early.check()).toThrow("x.S/Echo was answered before it was made");
  });

  test("a guest that runs before what it requires", () => {
    const invariants = new Invariants();
    const guest = { name: "a", required: new Set(["x.S"]) } as unknown as Guest;
    const directory = { services: () => [{ name: "x.S", running: 0 }] } as unknown as Directory;
    invariants.launched(guest, directory);
    expect(() => invariants.check()).toThrow("a runs before x.S, which it requires");
  });

  test("a delivery or a timer that is left", () => {
    const schedule = new SeededScheduler(0);
    schedule.soon(() => {});
    schedule.after(5, () => {});
    expect(() => new Invariants().checkEnd(schedule)).toThrow(
      "1 deliveries and 1 timers are left at the end",
    );
  });
});

describe("a scenario that does not hold", () => {
  const wrong: Scenario = {
    name: "wrong",
    claim: "nobody runs",
    guests: () => [{ name: "a", module: service("x.a"), exports: ["x.a"] }],
    expect: ({ launched }) => expect(launched).toEqual([]),
  };

  test("fails with what happened up to then", async () => {
    await expect(play(wrong, 3)).rejects.toMatchObject({
      name: "ScheduleError",
      trace: expect.arrayContaining(["0 ms a1 runs"]) as string[],
    });
  });

  test("because it does not do the same twice for one seed is told apart", async () => {
    let runs = 0;
    const guests = [0, 1].map((ms) => [
      { name: "a", module: command((g) => g.register() + g.later(1 + ms)) },
    ]);
    const moody: Scenario = { ...wrong, guests: () => guests[runs++ % 2] ?? [], expect: () => {} };
    await expect(playTwice(moody, 3)).rejects.toThrow("the seed did not do the same twice");
  });
});
