import { Code } from "@connectrpc/connect";
import { inMemory } from "@dropthrough/dispatch/testing";
import { afterAll, beforeEach, expect, test } from "vitest";
import { redis } from "../src/index.ts";
import { startRedisCluster } from "./cluster.ts";
import { b, fails, t } from "./rules/rule.ts";

const cluster = await startRedisCluster(1);
afterAll(() => cluster[Symbol.asyncDispose]());
beforeEach(() => cluster.flush());
const connections = { default: { cluster: cluster.nodes.map(({ url }) => url) } };

/** A command that adds one to a key. */
const add = (key: Uint8Array) => ({ command: { case: "increment" as const, value: { key } } });

test("a watch of keys that are on their way to another node is there where they go, and goes on when they are there", async () => {
  await using backend = inMemory(redis({ connections }));
  const client = backend.client();
  for (const [name, value] of [
    ["moving", "5"],
    ["absent", undefined],
  ] as const) {
    const key = b(name);
    const commands = [add(key)];
    if (value !== undefined) await client.set({ key, value: b(value) });
    const before = await client.watch({ keys: [key] });
    const after = { broken: "", kept: "" };
    await cluster.move(name, async () => {
      const kept = await client.watch({ keys: [key] });
      const broken = await client.watch({ keys: [key] });
      ({ watchId: after.broken } = await client.watch({ keys: [key] }));
      const { results } = await client.transaction({ commands, watchId: kept.watchId });
      expect(results.map(({ result }) => result.case)).toEqual(["increment"]);
      const { watchId } = broken;
      await fails(client.transaction({ commands, watchId }), Code.Aborted);
      ({ watchId: after.kept } = await client.watch({ keys: [key] }));
    });
    await fails(client.transaction({ commands, watchId: after.broken }), Code.Aborted);
    await client.transaction({ commands, watchId: after.kept });
    // Its keys are elsewhere since: nobody knows what became of them.
    await fails(client.transaction({ commands, watchId: before.watchId }), Code.Aborted);
    const { value: found } = await client.get({ key });
    expect(t(found)).toBe(String(Number(value ?? 0) + 2));
  }
});

test("a slot that moves to a node that has none yet is followed on its way by calls of every kind", async () => {
  await using backend = inMemory(redis({ connections }));
  const client = backend.client();
  const key = b("first");
  const commands = [add(key)];
  await client.increment({ key });
  await cluster.move(
    "first",
    async () => {
      for (let i = 0; i < 20; i++) await client.increment({ key });
      const { results } = await client.pipeline({ commands: [add(key), add(key)] });
      expect(results.map(({ result }) => result.case)).toEqual(["increment", "increment"]);
      const { watchId } = await client.watch({ keys: [key] });
      await client.transaction({ commands, watchId });
      await client.transaction({ commands });
    },
    3,
  );
  expect((await client.increment({ key })).value).toBe(26n);
  // Each call on the way went by one connection, and not by one of its own.
  const { node } = await cluster.placeOf("first");
  expect(node).toBe(3);
  const info = String(await cluster.say(3, ["INFO", "stats"]));
  expect(Number(/total_connections_received:(\d+)/.exec(info)?.[1])).toBeLessThan(10);
});
