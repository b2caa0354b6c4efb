import assert from "node:assert/strict";
import { Code } from "@connectrpc/connect";
import { command, echoRequest, loop, service } from "../kernel-guest.ts";
import { once, type Scenario } from "../scenario.ts";

const inside = once(() => {
  const module = service("x.S", [], (g) => ({ Echo: g.exit(3, "enough") }));
  const client = command(
    (g) =>
      `${g.register()} ${g.requires("x.S")} ${g.launch()} ${g.try("x.S/Echo")} ${g.try("x.S/Echo")}`,
  );
  return [
    { name: "service", module, exports: ["x.S"] },
    { name: "client", module: client },
  ];
});

const inFlight = once(() => {
  return [
    // Its calls are passed on, but one of four bytes tells it to end: a payload of two letters, and no delay.
    {
      name: "loop",
      module: loop(
        "x.S",
        (l) => `(if (i32.eq (local.get $len) (i32.const 4)) (then ${l.exit(7, "bye")}))`,
      ),
      exports: ["x.S"],
    },
    ...["p", "q", "r"].map((name) => ({
      name,
      module: command(
        (c) =>
          `${c.register()} ${c.requires("x.S")} ${c.launch()} ${c.try("x.S/Echo", echoRequest("x", 20))}`,
      ),
    })),
    {
      name: "last",
      module: command(
        (c) =>
          `${c.register()} ${c.requires("x.S")} ${c.launch()} ${c.later(5)} ${c.try("x.S/Echo", echoRequest("xx"))}`,
      ),
    },
  ];
});

const dying = once(() => {
  const dies = `(global.set $count (i32.add (global.get $count) (i32.const 1)))
    (if (i32.eq (global.get $count) (i32.const 4)) (then unreachable))`;
  const asks = Array.from({ length: 5 }, (_, i) => i);
  return [
    // Only it exports x.T, so that it runs before the first call is made.
    { name: "good", module: loop("x.S", undefined, ["x.T"]), exports: ["x.S", "x.T"] },
    { name: "bad", module: loop("x.S", () => dies), exports: ["x.S"] },
    ...["p", "q", "r", "s"].map((name, at) => ({
      name,
      module: command(
        (c) =>
          `${c.register()} ${c.requires("x.S", "x.T")} ${c.launch()} ${asks.map((i) => c.try("x.S/Echo", echoRequest("x", 3 + i + at))).join("\n")}`,
      ),
    })),
  ];
});

/** What happens to calls when a guest ends. */
export const exits: readonly Scenario[] = [
  {
    name: "exit-inside-a-call",
    claim:
      "a service that exits inside of a call leaves its caller with UNAVAILABLE and its reason",
    guests: () => inside(),
    expect({ exits: ends, codes, messages }) {
      const { Unavailable } = Code;
      assert.deepEqual(codes("client", "x.S/Echo"), [Unavailable, Unavailable]);
      assert.equal(messages("client", "x.S/Echo")[0], "service has exited: enough");
      assert.deepEqual(
        new Map(ends.map((e) => [e.guest, e.code])),
        new Map([
          ["service", 3],
          ["client", 0],
        ]),
      );
    },
  },
  {
    name: "exit-with-calls-in-flight",
    claim: "a guest that exits with calls in flight answers each of them once, with its reason",
    guests: () => inFlight(),
    expect({ exits: ends, messages, codes }) {
      for (const caller of ["p", "q", "r", "last"]) {
        assert.deepEqual(codes(caller, "x.S/Echo").at(-1), Code.Unavailable);
        assert.equal(messages(caller, "x.S/Echo").at(-1), "loop has exited: bye");
      }
      assert.equal(ends.find((end) => end.guest === "loop")?.code, 7);
    },
  },
  {
    name: "two-exporters-one-dying",
    claim:
      "of two exporters under load one dies: its calls are ABORTED, all others answered, none lost",
    guests: () => dying(),
    limits: { restarts: 0 },
    expect({ exits: ends, codes }) {
      const all = ["p", "q", "r", "s"].flatMap((name) => codes(name, "x.S/Echo"));
      const aborted = all.filter((code) => code === Code.Aborted).length;
      assert.equal(all.length, 20);
      assert.equal(all.filter((code) => code === 0).length, 20 - aborted);
      assert.ok(aborted >= 1 && aborted <= 4, `${aborted} were aborted`);
      const crashed = ends.filter((end) => end.code !== 0);
      assert.deepEqual(
        crashed.map(({ guest, code }) => [guest, code]),
        [["bad", 253]],
      );
    },
  },
];
