import { Code } from "@connectrpc/connect";
import { inMemory } from "@dropthrough/dispatch/testing";
import { afterAll, expect, test } from "vitest";
import { redis } from "../src/index.ts";
import { startRedisCluster } from "./cluster.ts";
import { b, fails } from "./rules/rule.ts";

const cluster = await startRedisCluster();
afterAll(() => cluster[Symbol.asyncDispose]());
const connections = { default: { cluster: cluster.nodes.map(({ url }) => url) } };
const add = (key: string) => ({ command: { case: "increment" as const, value: { key: b(key) } } });

/** Keys of different slots: the first two at one node, the third at another. */
async function keysOf(): Promise<readonly [string, string, string]> {
  const near = ["a"];
  for (let i = 0; ; i++) {
    const place = await cluster.placeOf(`key${i}`);
    const first = await cluster.placeOf("a");
    if (near.length === 1 && place.node === first.node) near.push(`key${i}`);
    if (near.length === 2 && place.node !== first.node) return ["a", near[1] ?? "", `key${i}`];
  }
}

test("a transaction of keys that different nodes have is INVALID_ARGUMENT, as one of different slots of one node is", async () => {
  await using backend = inMemory(redis({ connections }));
  const client = backend.client();
  const [key, near, far] = await keysOf();
  for (const other of [near, far]) {
    const commands = [add(key), add(other)];
    const { message } = await fails(client.transaction({ commands }), Code.InvalidArgument);
    expect(message).toContain("CROSSSLOT");
    const { watchId } = await client.watch({ keys: [b(key)] });
    await fails(client.transaction({ commands, watchId }), Code.InvalidArgument);
  }
  const scan = { command: { case: "scan" as const, value: {} } };
  for (const commands of [[scan], [add(key), scan]]) {
    await fails(client.transaction({ commands }), Code.InvalidArgument);
    const { watchId } = await client.watch({ keys: [b(key)] });
    await fails(client.transaction({ commands, watchId }), Code.InvalidArgument);
  }
  // Nothing that was watched has changed.
  const { watchId } = await client.watch({ keys: [b(key)] });
  await fails(client.transaction({ commands: [add(far)], watchId }), Code.InvalidArgument);
  expect((await client.exists({ keys: [b(key), b(near), b(far)] })).existing).toBe(0n);
});
