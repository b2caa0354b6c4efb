import assert from "node:assert/strict";
import { Code } from "@connectrpc/connect";
import { command, ECHO, echoRequest, KernelGuest, service } from "../kernel-guest.ts";
import { once, type Scenario } from "../scenario.ts";

/** Traps unless a condition, an i32 expression, holds. */
const unless = (condition: string): string => `(if (i32.eqz ${condition}) (then unreachable))`;

const shapes = once(() => {
  const length = (n: number): string => unless(`(i32.eq (local.get $len) (i32.const ${n}))`);
  const module = service("x.S", [], (g) => ({
    Both: length(3) + g.replySame(),
    In: length(3) + g.reply(""),
    Out: length(0) + g.reply("abc"),
    Neither: length(0) + g.reply(""),
  }));
  const g = new KernelGuest();
  const ask = (method: string, request: string, answer: string): string => `
    (i32.store (i32.const 8192) (i32.const 0))
    (local.set $w (call $ok ${g.call(`x.S/${method}`, Buffer.from(request))}))
    ${unless(`(i32.eq (local.get $w) (i32.const ${answer.length}))`)}
    ${unless(`(i32.eq (i32.load (i32.const 8192)) (i32.const ${answer === "" ? 0 : 0x636261}))`)}`;
  const client = g.command(`${g.register()} ${g.requires("x.S")} ${g.launch()}
    ${ask("Both", "abc", "abc")} ${ask("In", "abc", "")} ${ask("Out", "", "abc")} ${ask("Neither", "", "")}`);
  return [
    { name: "service", module, exports: ["x.S"] },
    { name: "client", module: client },
  ];
});

const chain = once(() => {
  const passes = (name: string, next: string): Uint8Array<ArrayBuffer> =>
    service(name, [next], (g) => ({ Echo: g.passOn(`${next}/Echo`) }));
  const client = command(
    (g) => `${g.register()} ${g.requires("x.Outer")} ${g.launch()}
      (if (i32.ne (call $ok ${g.call("x.Outer/Echo", Buffer.from("abc"))}) (i32.const 3)) (then unreachable))`,
  );
  const slow = service("x.Inner", [], (g) => ({ Echo: g.later(3) + g.replySame() }));
  return [
    { name: "client", module: client },
    { name: "outer", module: passes("x.Outer", "x.Middle"), exports: ["x.Outer"] },
    { name: "middle", module: passes("x.Middle", "x.Inner"), exports: ["x.Middle"] },
    { name: "inner", module: slow, exports: ["x.Inner"] },
  ];
});

const slow = once(() => [
  {
    name: "slow",
    module: service("x.S", [], (g) => ({ Echo: g.try(ECHO, echoRequest("", 2)) + g.replySame() })),
    exports: ["x.S"],
  },
]);

/** The order in which the calls of the last scenario were answered, for each run of it. */
const orders = new WeakMap<object, number[]>();

/** How calls between guests are answered. */
export const calls: readonly Scenario[] = [
  {
    name: "shapes",
    claim: "a method may have a request and a response, either, or neither",
    guests: () => shapes(),
    expect({ exits }) {
      assert.deepEqual(
        exits.map(({ guest, code }) => [guest, code]),
        [["client", 0]],
      );
    },
  },
  {
    name: "chain",
    claim: "a service may call a service that calls a service",
    guests: () => chain(),
    expect({ exits, codes }) {
      assert.deepEqual(
        exits.map(({ guest, code }) => [guest, code]),
        [["client", 0]],
      );
      assert.deepEqual(codes("outer", "x.Middle/Echo"), [0]);
    },
  },
  {
    name: "in-order",
    claim:
      "the calls of one caller to one instance are answered in the order in which they were made",
    guests: () => slow(),
    async act(play) {
      const order: number[] = [];
      orders.set(play.schedule, order);
      const client = play.client("x.S");
      const made = Array.from({ length: 8 }, async (_, i) => {
        await client.echo({});
        order.push(i);
      });
      await play.schedule.run(Promise.all(made));
    },
    expect({ schedule }) {
      assert.deepEqual(orders.get(schedule), [0, 1, 2, 3, 4, 5, 6, 7]);
    },
  },
  {
    name: "given-up",
    claim: "a call whose deadline passes is answered once, and its late reply is dropped",
    guests: () => slow(),
    async act(play) {
      const client = play.client("x.S");
      const failed = await play.failure(client.echo({}, { timeoutMs: 1 }));
      assert.equal(failed?.code, Code.DeadlineExceeded);
      await play.schedule.run(client.echo({}));
    },
    expect({ codes, exits }) {
      assert.deepEqual(codes("host", "x.S/Echo"), [Code.DeadlineExceeded, 0]);
      assert.deepEqual(exits, []);
    },
  },
];
