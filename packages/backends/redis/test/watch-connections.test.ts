import { Code } from "@connectrpc/connect";
import { inMemory } from "@dropthrough/dispatch/testing";
import { expect, test } from "vitest";
import { redis } from "../src/index.ts";
import { startRedisServer } from "../src/testing.ts";
import { startLyingNode } from "./lying-node.ts";
import { b, fails, t } from "./rules/rule.ts";

const key = b("k");
const value = b("v");

test("a connection of a watch that is lost is not made again, whether it is kept or in use", async () => {
  await using node = await startLyingNode(([name]) => (name === "EXEC" ? "*0\r\n" : "+OK\r\n"));
  await using backend = inMemory(redis({ url: node.url }));
  const client = backend.client();
  const watch = async (): Promise<string> => (await client.watch({ keys: [key] })).watchId;
  const [used, ...kept] = await Promise.all([watch(), watch(), watch(), watch()]);
  for (const watchId of kept) await client.unwatch({ watchId });
  // One for commands, and one for each watch.
  expect(node.connections).toBe(5);
  node.hangUp();
  // As long as it takes until the first is back, and until each of the others had tried twice.
  await expect.poll(() => node.connections).toBe(6);
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(node.connections).toBe(6);
  await fails(client.transaction({ watchId: used }), Code.Aborted);
  await watch();
  expect(node.connections).toBe(7);
});

test("a watch whose connection was lost is ABORTED: nobody knows what has changed", async () => {
  await using server = await startRedisServer();
  await using backend = inMemory(redis({ url: server.url, outageWaitMs: 5_000 }));
  const client = backend.client();
  const { connectionId } = await client.open({});
  for (const back of [false, true]) {
    const { watchId } = await client.watch({ connectionId, keys: [key] });
    await server.restart();
    await client.ping({ connectionId });
    if (back) await new Promise((resolve) => setTimeout(resolve, 300));
    const commands = [{ command: { case: "set", value: { key, value } } } as const];
    await fails(client.transaction({ connectionId, watchId, commands }), Code.Aborted);
  }
  expect((await client.get({ connectionId, key })).value).toBeUndefined();
});

test("watches give their connections back, and a backend that is closed leaves none open", async () => {
  await using server = await startRedisServer();
  await using admin = inMemory(redis({ url: server.url, execute: ["INFO"] }));
  const { connectionId: info } = await admin.client().open({});
  const clients = async (): Promise<number> => {
    const answer = await admin
      .client()
      .execute({ connectionId: info, command: "INFO", arguments: [b("clients")] });
    const kind = answer.reply?.kind;
    const text = kind?.case === "bytes" ? (t(kind.value) ?? "") : "";
    return Number(/connected_clients:(\d+)/.exec(text)?.[1]);
  };
  const before = await clients();
  const backend = inMemory(redis({ url: server.url }));
  for (let i = 0; i < 50; i++) {
    const client = backend.client(`guest${i}`);
    const { connectionId } = await client.open({});
    const { watchId } = await client.watch({ connectionId, keys: [key] });
    if (i % 3 === 0) await client.transaction({ connectionId, watchId });
    if (i % 3 === 1) await client.unwatch({ watchId });
    await client.subscribe({ connectionId, channels: [b("c")] });
    await backend.end(`guest${i}`);
  }
  // One for commands, one that listens, and what is kept for watches.
  expect(await clients()).toBeLessThanOrEqual(before + 6);
  await backend[Symbol.asyncDispose]();
  await expect.poll(clients).toBe(before);
});

test("a watch after a long outage does not wait for a connection that was kept from before it", async () => {
  await using server = await startRedisServer();
  await using backend = inMemory(redis({ url: server.url }));
  const client = backend.client();
  const watchAll = async (): Promise<string[]> => {
    const opened = await Promise.all([1, 2, 3, 4].map(async () => client.watch({ keys: [key] })));
    return opened.map(({ watchId }) => watchId);
  };
  await Promise.all((await watchAll()).map(async (watchId) => client.unwatch({ watchId })));
  await server.kill();
  // Each tries again by itself, and ever less often.
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  await server.restart();
  const get = (): Promise<boolean> =>
    client.get({ key }).then(
      () => true,
      () => false,
    );
  await expect.poll(get, { interval: 5 }).toBe(true);
  expect(await watchAll()).toHaveLength(4);
});
