/* oxlint-disable vitest/no-standalone-expect -- each rule is proven inside a test, see rules.test.ts */
import { Code } from "@connectrpc/connect";
import { expect } from "vitest";
import { allBytes, b, fails, rule, type Rule, type RuleWorld, t } from "./rule.ts";

/** A channel that no other rule uses: in a cluster, a message may come late. */
function fresh(): string {
  return `c${Math.random()}`;
}

/** Polls until there are so many messages; as `pattern channel message`. */
async function hear(
  { client }: RuleWorld,
  subscriptionId: string,
  count: number,
): Promise<string[]> {
  const heard: string[] = [];
  while (heard.length < count) {
    const { messages } = await client.poll({ subscriptionId, waitMs: 2_000 });
    expect(messages.length).toBeGreaterThan(0);
    for (const { pattern, channel, message } of messages)
      heard.push(`${t(pattern) ?? "-"} ${t(channel)} ${t(message)}`);
  }
  return heard;
}

export const pubsubRules: readonly Rule[] = [
  rule("what is said is heard, in order, by name and by pattern", async (world) => {
    const { client, connectionId } = world;
    const say = (channel: string, message: string): Promise<unknown> =>
      client.publish({ connectionId, channel: b(channel), message: b(message) });
    const { subscriptionId } = await client.subscribe({
      connectionId,
      channels: [b("a"), b("a"), b("b")],
      patterns: [b("a*")],
    });
    await say("b", "1");
    await say("ax", "2");
    await say("c", "3");
    await say("a", "4");
    const heard = await hear(world, subscriptionId, 4);
    expect(heard.slice(0, 2)).toEqual(["- b 1", "a* ax 2"]);
    expect(heard.slice(2).toSorted()).toEqual(["- a 4", "a* a 4"]);
  }),
  rule("a message is any bytes", async ({ client, connectionId }) => {
    const channel = b("\u00e9");
    const { subscriptionId } = await client.subscribe({ connectionId, channels: [channel] });
    await client.publish({ connectionId, channel, message: allBytes });
    const { messages } = await client.poll({ subscriptionId, waitMs: 2_000 });
    expect(messages.map((m) => Uint8Array.from(m.message))).toEqual([allBytes]);
  }),
  rule("a full subscription drops the oldest, and says how many", async (world) => {
    const c = fresh();
    const { client, connectionId } = world;
    const { subscriptionId } = await client.subscribe({
      connectionId,
      channels: [b(c)],
      buffer: 3,
    });
    const last = await client.subscribe({ connectionId, channels: [b(c)] });
    for (let i = 0; i < 10; i++)
      await client.publish({ connectionId, channel: b(c), message: b(String(i)) });
    await hear(world, last.subscriptionId, 10);
    const first = await client.poll({ subscriptionId, most: 2 });
    expect(first.messages.map((m) => t(m.message))).toEqual(["7", "8"]);
    expect([first.lost, first.interruptions]).toEqual([7n, 0n]);
    const rest = await client.poll({ subscriptionId });
    expect(rest.messages.map((m) => t(m.message))).toEqual(["9"]);
    expect(rest.lost).toBe(0n);
  }),
  rule("a poll answers what fits, the rest is for the next", async (world) => {
    const c = fresh();
    const { client, connectionId } = world;
    const { subscriptionId } = await client.subscribe({ connectionId, channels: [b(c)] });
    const last = await client.subscribe({ connectionId, channels: [b(`${c} end`)] });
    const message = new Uint8Array(700_000);
    for (let i = 0; i < 5; i++) await client.publish({ connectionId, channel: b(c), message });
    await client.publish({ connectionId, channel: b(c), message: new Uint8Array(3_000_000) });
    await client.publish({ connectionId, channel: b(`${c} end`), message: b("") });
    await hear(world, last.subscriptionId, 1);
    const counts = [];
    for (let i = 0; i < 4; i++) {
      const { messages, lost } = await client.poll({ subscriptionId });
      counts.push([messages.length, lost]);
    }
    expect(counts).toEqual([
      [2, 1n],
      [2, 0n],
      [1, 0n],
      [0, 0n],
    ]);
  }),
  rule("a poll waits for a message, for as long as it is told to", async (world) => {
    const c = fresh();
    const { client, connectionId } = world;
    const { subscriptionId } = await client.subscribe({ connectionId, channels: [b(c)] });
    expect((await client.poll({ subscriptionId })).messages).toEqual([]);
    expect((await client.poll({ subscriptionId, waitMs: 10 })).messages).toEqual([]);
    const waiting = client.poll({ subscriptionId, waitMs: 5_000 });
    await fails(client.poll({ subscriptionId, waitMs: 1 }), Code.FailedPrecondition);
    await client.publish({ connectionId, channel: b(c), message: b("m") });
    expect((await waiting).messages.map((m) => t(m.message))).toEqual(["m"]);
  }),
  rule("a poll that is given up takes no message with it", async (world) => {
    const c = fresh();
    const { client, connectionId } = world;
    const { subscriptionId } = await client.subscribe({ connectionId, channels: [b(c)] });
    await fails(
      client.poll({ subscriptionId, waitMs: 5_000 }, { timeoutMs: 10 }),
      Code.DeadlineExceeded,
    );
    await client.publish({ connectionId, channel: b(c), message: b("m") });
    expect(await hear(world, subscriptionId, 1)).toEqual([`- ${c} m`]);
  }),
  rule(
    "a subscription that ends hears no more, and ends a poll that waits",
    async ({ client, connectionId, stranger }) => {
      const c = fresh();
      const { subscriptionId } = await client.subscribe({
        connectionId,
        channels: [b(c)],
        patterns: [b("*")],
      });
      await fails(stranger.poll({ subscriptionId }), Code.NotFound);
      const waiting = fails(client.poll({ subscriptionId, waitMs: 5_000 }), Code.NotFound);
      await client.unsubscribe({ subscriptionId });
      await waiting;
      expect(
        (await client.publish({ connectionId, channel: b(c), message: b("m") })).receivers,
      ).toBe(0n);
      await fails(client.unsubscribe({ subscriptionId }), Code.NotFound);
    },
  ),
  rule(
    "a subscription dies with whoever opened it",
    async ({ client, connectionId, stranger, end }) => {
      const c = fresh();
      await client.subscribe({ connectionId, channels: [b(c)] });
      const other = await stranger.open({});
      await end();
      const { connectionId: their } = other;
      const said = await stranger.publish({
        connectionId: their,
        channel: b(c),
        message: b("m"),
      });
      expect(said.receivers).toBe(0n);
    },
  ),
  rule("a subscription or poll beyond its limits is refused", async ({ client, connectionId }) => {
    const c = fresh();
    await fails(client.subscribe({ connectionId }), Code.InvalidArgument);
    const many = Array.from({ length: 257 }, (_, i) => b(String(i)));
    await fails(client.subscribe({ connectionId, channels: many }), Code.InvalidArgument);
    await fails(
      client.subscribe({ connectionId, channels: [b(c)], buffer: 65_537 }),
      Code.InvalidArgument,
    );
    await fails(
      client.subscribe({ connectionId, channels: [Uint8Array.of(0xff)] }),
      Code.InvalidArgument,
    );
    const { subscriptionId } = await client.subscribe({ connectionId, channels: [b(c)] });
    await fails(client.poll({ subscriptionId, most: 65_537 }), Code.InvalidArgument);
    await fails(client.poll({ subscriptionId, waitMs: 60_001 }), Code.InvalidArgument);
    for (let i = 0; i < 63; i++) await client.subscribe({ connectionId, channels: [b(c)] });
    await fails(client.subscribe({ connectionId, channels: [b(c)] }), Code.ResourceExhausted);
  }),
];
