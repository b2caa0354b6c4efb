import { inMemory } from "@dropthrough/dispatch/testing";
import { afterAll, expect, test } from "vitest";
import { redis } from "../src/index.ts";
import { startRedisCluster } from "./cluster.ts";
import { b, t } from "./rules/rule.ts";

// The fourth is a replica of the first.
const cluster = await startRedisCluster(1);
afterAll(() => cluster[Symbol.asyncDispose]());
await cluster.say(3, ["CLUSTER", "REPLICATE", String(await cluster.say(0, ["CLUSTER", "MYID"]))]);
const connections = { default: { cluster: cluster.nodes.map(({ url }) => url) } };

/** What the first of the shards is to a node. */
async function roleOf(node: number): Promise<string> {
  return String(await cluster.say(node, ["ROLE"]));
}

test("a subscription at a master that becomes a replica goes on there, and hears of no interruption", async () => {
  await expect.poll(() => roleOf(3)).toContain("connected");
  await using hosts = new AsyncDisposableStack();
  for (let i = 0; ; i++) {
    const backend = hosts.use(inMemory(redis({ connections, stallTimeoutMs: 200 })));
    const client = backend.client();
    const channel = `channel${i}`;
    const { subscriptionId } = await client.subscribe({ channels: [b(channel)] });
    const [, heard] = (await cluster.say(0, ["PUBSUB", "NUMSUB", channel])) as [string, number];
    if (heard === 0) continue;
    // Hosts look who is in the cluster five times a second.
    await cluster.say(3, ["CLUSTER", "FAILOVER"]);
    await expect.poll(() => roleOf(0)).toContain("slave");
    const quiet = await client.poll({ subscriptionId, waitMs: 3_000 });
    expect(quiet).toMatchObject({ messages: [], interruptions: 0n });
    await cluster.say(1, ["PUBLISH", channel, "m"]);
    const { messages } = await client.poll({ subscriptionId, waitMs: 10_000 });
    expect(messages.map(({ message }) => t(message))).toEqual(["m"]);
    return;
  }
});
