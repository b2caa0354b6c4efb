import { createClient } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import { SeededScheduler } from "../src/testing.ts";
import { FACADE } from "./control.ts";
import { command, facade, facadeService, passThrough, say, start } from "./deployment.ts";

/** The order in which three deliveries and two timers came. */
async function orderOf(seed: number): Promise<string> {
  const schedule = new SeededScheduler(seed);
  const order: string[] = [];
  for (const name of ["a", "b", "c"]) schedule.soon(() => order.push(name));
  schedule.after(20, () => order.push("late"));
  schedule.after(10, () => order.push("early"));
  await schedule.drain();
  return order.join(" ");
}

describe("a seeded scheduler", () => {
  test("delivers in every legal order over its seeds, timers when they are due, and no other", async () => {
    const seen = new Set<string>();
    for (let seed = 0; seed < 200; seed++) seen.add(await orderOf(seed));
    expect([...seen].toSorted()).toEqual(
      ["a b c", "a c b", "b a c", "b c a", "c a b", "c b a"].map((order) => `${order} early late`),
    );
  });

  test("makes the same choices for the same seed", async () => {
    for (let seed = 0; seed < 20; seed++) expect(await orderOf(seed)).toBe(await orderOf(seed));
  });

  test("finishes what a delivery led to before the next one", async () => {
    const schedule = new SeededScheduler(1);
    const order: number[] = [];
    for (const at of [1, 2]) {
      schedule.soon(() => {
        order.push(at);
        void Promise.resolve()
          .then(() => {})
          .then(() => order.push(at));
      });
    }
    await schedule.drain();
    expect(order[0]).toBe(order[1]);
    expect(order[2]).toBe(order[3]);
  });

  test("says so when what is waited for can never happen", async () => {
    await expect(new SeededScheduler(7).run(new Promise(() => {}))).rejects.toThrow(
      "seed 7: nothing is left to deliver at 0 ms, and what was waited for has not happened",
    );
  });

  test("runs a host: hours pass at once, and the order of two guests is the seed's", async () => {
    const orders = new Set<string>();
    for (let seed = 0; seed < 30; seed++) {
      const log: string[] = [];
      const schedule = new SeededScheduler(seed);
      const one = command((g) => say(g, "ran"));
      const host = start(
        [
          { name: "a", module: one },
          { name: "b", module: one },
          { name: "facade", module: facade(passThrough), exports: [FACADE] },
        ],
        { log, clock: schedule, limits: { defaultTimeoutMs: 0 } },
      );
      await schedule.run(host.start());
      const client = createClient(facadeService, host.transport);
      await schedule.run(client.echo({ delayMs: 3_600_000 }));
      expect(schedule.now()).toBe(3_600_000);
      await schedule.run(host[Symbol.asyncDispose]());
      await schedule.drain();
      expect(schedule.pending).toEqual({ ready: 0, timers: 0 });
      orders.add(log.join());
    }
    expect([...orders].toSorted()).toEqual(["a1 ran,b1 ran", "b1 ran,a1 ran"]);
  });
});
