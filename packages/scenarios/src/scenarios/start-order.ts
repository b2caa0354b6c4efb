import assert from "node:assert/strict";
import { Code } from "@connectrpc/connect";
import type { GuestConfig } from "@dropthrough/host";
import { command, service } from "../kernel-guest.ts";
import { once, type Scenario } from "../scenario.ts";

/** Who requires whom, by names of one letter; each guest exports `x.` and its name. */
type Needs = Readonly<Record<string, string>>;

function guestsOf(needs: Needs): readonly GuestConfig[] {
  return Object.entries(needs).map(([name, needed]) => {
    const required = Array.from(needed).map((other) => `x.${other}`);
    return { name, module: service(`x.${name}`, required), exports: [`x.${name}`] };
  });
}

/** The values in one of their orders: each of them for some seed. */
function ordered<T>(values: readonly T[], seed: number): T[] {
  const rest = [...values];
  let number = Math.abs(seed);
  return values.map((_, at) => {
    const left = values.length - at;
    const [taken] = rest.splice(number % left, 1);
    number = Math.floor(number / left);
    return taken as T;
  });
}

const four = once(() => guestsOf({ a: "bcd", b: "cd", c: "d", d: "" }));
const diamond = once(() => guestsOf({ a: "bc", b: "d", c: "d", d: "" }));
const circles = new Map([
  [2, once(() => guestsOf({ a: "b", b: "a" }))],
  [5, once(() => guestsOf({ a: "b", b: "c", c: "d", d: "e", e: "a" }))],
]);

/** One is refused, with the path; the others hear that it is gone, and nobody runs. */
function circle(count: number): Scenario {
  return {
    name: `cycle-of-${count}`,
    claim: `a cycle of ${count} is refused at Require with its path, and nobody hangs`,
    guests: (seed) => ordered(circles.get(count)?.() ?? [], seed),
    limits: { restarts: 0 },
    expect({ launched, codes, messages }) {
      assert.deepEqual(launched, []);
      const refusals = messages("", "Require").filter((message) => message !== "");
      assert.equal(refusals.length, 1);
      const path = refusals[0]?.replace(": a guest cannot wait for itself", "").split(" requires ");
      assert.equal(path?.length, count + 1);
      assert.equal(path?.[0], path?.at(-1));
      assert.deepEqual(codes("", "Launch"), Array(count - 1).fill(Code.Unavailable));
    },
  };
}

const itself = once(() => [{ name: "a", module: service("x.a", ["x.a"]), exports: ["x.a"] }]);

const missing = once(() => {
  const client = command((g) => `${g.register()} ${g.requires("x.v1.Missing")} ${g.launch()}`);
  return [
    { name: "almost", module: service("x.v1.Misssing"), exports: ["x.v1.Misssing"] },
    { name: "client", module: client },
  ];
});

/** In which order guests start, and what they are told when they cannot. */
export const startOrder: readonly Scenario[] = [
  {
    name: "four",
    claim: "four services that depend on one another start in every order",
    guests: (seed) => ordered(four(), seed),
    expect: ({ launched }) => assert.deepEqual(launched, ["d1", "c1", "b1", "a1"]),
  },
  {
    name: "diamond",
    claim: "a diamond starts from its bottom to its top",
    guests: (seed) => ordered(diamond(), seed),
    expect({ launched }) {
      assert.equal(launched.length, 4);
      assert.equal(launched[0], "d1");
      assert.equal(launched[3], "a1");
    },
  },
  circle(2),
  circle(5),
  {
    name: "itself",
    claim: "a service that requires itself is refused",
    guests: () => itself(),
    limits: { restarts: 0 },
    expect({ launched, messages }) {
      assert.deepEqual(launched, []);
      assert.deepEqual(messages("a", "Require"), ["a requires a: a guest cannot wait for itself"]);
    },
  },
  {
    name: "missing-exporter",
    claim: "a missing exporter is NOT_FOUND, naming who needs it and what has a similar name",
    guests: (seed) => ordered(missing(), seed),
    expect({ codes, messages }) {
      assert.deepEqual(codes("client", "Launch"), [Code.NotFound]);
      assert.match(
        messages("client", "Launch")[0] ?? "",
        /^client requires x\.v1\.Missing, and nobody exports it; did you mean x\.v1\.Misssing of almost\?/,
      );
    },
  },
];
