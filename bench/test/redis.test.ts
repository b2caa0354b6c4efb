import { expect, test } from "vitest";
import cases from "../src/redis.bench.ts";

// Those with 1,000 guests warm up for seconds: they are too slow to run here, and are the same code.
const quick = cases.filter(({ name }) => !name.includes("guests1000"));

test.each(quick.map((it) => [it.name, it] as const))(
  "%s: both sides do it as often as they are told",
  async (_, maker) => {
    const it = await maker.make();
    try {
      // Fewer than are under way at once, as many, and more.
      for (const times of [1, 64, 200]) {
        expect(await it.subject(times)).toBeGreaterThan(0);
        expect(await it.baseline?.(times)).toBeGreaterThan(0);
      }
    } finally {
      await it.close?.();
    }
  },
);
