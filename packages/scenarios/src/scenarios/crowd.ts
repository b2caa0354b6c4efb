import assert from "node:assert/strict";
import { KernelGuest } from "../kernel-guest.ts";
import { once, type Scenario } from "../scenario.ts";

const COUNT = 100;

/** Each requires what its arguments name, so that one set of modules does for every graph. */
const modules = once(() =>
  Array.from({ length: COUNT }, (_, i) => {
    const g = new KernelGuest();
    return g.reactor(
      `${g.register()} ${g.exports(`x.S${i}`, { Echo: g.replySame() })} ${g.requiresArguments()} ${g.launch()}`,
    );
  }),
);

/** Small numbers that look random, from a seed and a place. */
function chance(seed: number, place: number): number {
  let x = Math.imul(seed ^ (place * 0x9e3779b1), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}

/** Up to three guests of a higher number, so that the graph has no cycle. */
function required(seed: number, i: number): string[] {
  const left = COUNT - 1 - i;
  const count = Math.min(left, chance(seed, i) % 4);
  const others = Array.from({ length: count }, (_, k) => chance(seed, i * 7 + k + 1000) % left);
  return [...new Set(others)].map((other) => `x.S${i + 1 + other}`);
}

/** Many guests at once. */
export const crowd: readonly Scenario[] = [
  {
    name: "hundred",
    every: 80,
    claim:
      "a hundred guests that require one another at random all start, each after what it requires",
    guests: (seed) =>
      modules().map((module, i) => ({
        name: `g${i}`,
        module,
        exports: [`x.S${i}`],
        arguments: required(seed, i),
        grants: ["scenario.v1.ProbeService/*"],
      })),
    async act(play) {
      const asked = [0, 1, 2].map(async (k) =>
        play.client(`x.S${chance(play.seed, k) % COUNT}`).echo({}),
      );
      await play.schedule.run(Promise.all(asked));
    },
    expect({ launched, exits }) {
      assert.equal(new Set(launched).size, COUNT);
      assert.deepEqual(exits, []);
    },
  },
];
