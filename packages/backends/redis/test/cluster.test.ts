import { Code } from "@connectrpc/connect";
import { inMemory } from "@dropthrough/dispatch/testing";
import { afterAll, beforeEach, expect, test } from "vitest";
import { redis } from "../src/index.ts";
import { startRedisCluster } from "./cluster.ts";
import { common, proveRules } from "./prove-rules.ts";
import { scan } from "./rules/keys.ts";
import { b, fails, t } from "./rules/rule.ts";

const cluster = await startRedisCluster();
afterAll(() => cluster[Symbol.asyncDispose]());
beforeEach(() => cluster.flush());
const connections = { default: { cluster: cluster.nodes.slice(0, 1).map(({ url }) => url) } };

// All keys of a guest are in one slot: else calls on several keys would be refused by Redis.
proveRules("cluster", () => redis({ ...common, connections, isolate: true }));

test("keys of a cluster are on all of its nodes, and one call reads, writes, scans and deletes them", async () => {
  await using backend = inMemory(redis({ connections }));
  const client = backend.client();
  const { connectionId } = await client.open({});
  const keys = Array.from({ length: 100 }, (_, i) => b(`key${i}`));
  await client.multiSet({ connectionId, pairs: keys.map((key) => ({ key, value: key })) });
  const { values } = await client.multiGet({ connectionId, keys });
  expect(values.map(({ value }) => t(value))).toEqual(keys.map(t));
  expect(await scan({ client, connectionId })).toHaveLength(100);
  expect((await client.exists({ connectionId, keys })).existing).toBe(100n);
  expect((await client.delete({ connectionId, keys })).deleted).toBe(100n);
  await fails(client.rename({ connectionId, key: b("a"), newKey: b("b") }), Code.InvalidArgument);
});

test("a watch is on the node that has its keys, which must be in one slot", async () => {
  await using backend = inMemory(redis({ connections }));
  const client = backend.client();
  const { connectionId } = await client.open({});
  for (let i = 0; i < 12; i++) {
    const key = b(`key${i}`);
    const commands = [{ command: { case: "increment", value: { key } } } as const];
    const kept = await client.watch({ connectionId, keys: [key] });
    const broken = await client.watch({ connectionId, keys: [key] });
    await client.transaction({ connectionId, watchId: kept.watchId, commands });
    const { watchId } = broken;
    await fails(client.transaction({ connectionId, watchId, commands }), Code.Aborted);
    expect(t((await client.get({ connectionId, key })).value)).toBe("1");
  }
  await fails(client.watch({ connectionId, keys: [b("a"), b("b")] }), Code.InvalidArgument);
});

test("connections that are kept for the next watch are not those of a node that nobody watches at any more", async () => {
  await using backend = inMemory(redis({ connections }));
  const client = backend.client();
  const keys: Uint8Array[] = [];
  for (let i = 0; keys[0] === undefined || keys[1] === undefined; i++) {
    const { node } = await cluster.placeOf(`key${i}`);
    keys[node] ??= b(`key${i}`);
  }
  const watch = async (key: Uint8Array | undefined): Promise<string> =>
    (await client.watch({ keys: key ? [key] : [] })).watchId;
  const first = await Promise.all([1, 2, 3, 4].map(async () => watch(keys[0])));
  for (const watchId of first) await client.unwatch({ watchId });
  const received = async (): Promise<number> => {
    const info = String(await cluster.say(1, ["INFO", "stats"]));
    return Number(/total_connections_received:(\d+)/.exec(info)?.[1]);
  };
  // Calls have a connection to the node, too, and it is made before its first watch.
  await client.exists({ keys: [keys[1] ?? b("")] });
  const before = await received();
  for (let i = 0; i < 10; i++) await client.unwatch({ watchId: await watch(keys[1]) });
  expect((await received()) - before).toBe(1);
});

test("a node that is away makes its own keys UNAVAILABLE, and no others", async () => {
  await using backend = inMemory(redis({ connections }));
  const client = backend.client();
  const { connectionId } = await client.open({});
  const node = cluster.nodes[2];
  node?.pause();
  try {
    const outcomes = await Promise.all(
      Array.from({ length: 30 }, (_, i) =>
        client.set({ connectionId, key: b(`key${i}`), value: b("v") }, { timeoutMs: 300 }).then(
          () => "OK",
          () => "failed",
        ),
      ),
    );
    expect(new Set(outcomes)).toEqual(new Set(["OK", "failed"]));
  } finally {
    node?.resume();
  }
  await expect
    .poll(() =>
      Promise.all(
        Array.from({ length: 30 }, (_, i) => client.get({ connectionId, key: b(`key${i}`) })),
      ).then(
        () => true,
        () => false,
      ),
    )
    .toBe(true);
});
