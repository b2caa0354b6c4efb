import { inMemory } from "@dropthrough/dispatch/testing";
import { afterAll, expect, test } from "vitest";
import { redis } from "../src/index.ts";
import { startRedisCluster } from "./cluster.ts";
import { b, t } from "./rules/rule.ts";

const cluster = await startRedisCluster(1);
afterAll(() => cluster[Symbol.asyncDispose]());
const connections = { default: { cluster: cluster.nodes.map(({ url }) => url) } };

/** How many listen to a channel at a node. */
async function listeners(node: number, channel: string): Promise<number> {
  const counted = (await cluster.say(node, ["PUBSUB", "NUMSUB", channel])) as [string, number];
  return counted[1];
}

test("a subscription at a node that leaves the cluster, and goes on running, is moved to another and hears of the interruption", async () => {
  await cluster.move("leaving", async () => {}, 3);
  // Which node is listened to is chance: hosts come until one listens to the fourth.
  await using hosts = new AsyncDisposableStack();
  for (let i = 0; ; i++) {
    const backend = hosts.use(inMemory(redis({ connections, stallTimeoutMs: 300 })));
    const client = backend.client();
    const channel = `channel${i}`;
    const { subscriptionId } = await client.subscribe({ channels: [b(channel)] });
    if ((await listeners(3, channel)) === 0) continue;
    await cluster.move("leaving", async () => {}, 0);
    const id = String(await cluster.say(3, ["CLUSTER", "MYID"]));
    for (const node of [0, 1, 2]) await cluster.say(node, ["CLUSTER", "FORGET", id]);
    await cluster.say(3, ["CLUSTER", "RESET", "SOFT"]);
    const { interruptions } = await client.poll({ subscriptionId, waitMs: 30_000 });
    expect(interruptions).toBe(1n);
    await cluster.say(0, ["PUBLISH", channel, "m"]);
    const { messages } = await client.poll({ subscriptionId, waitMs: 10_000 });
    expect(messages.map(({ message }) => t(message))).toEqual(["m"]);
    // It stays there.
    const quiet = await client.poll({ subscriptionId, waitMs: 1_000 });
    expect(quiet).toMatchObject({ messages: [], interruptions: 0n });
    return;
  }
});
