import { Code } from "@connectrpc/connect";
import { inMemory } from "@dropthrough/dispatch/testing";
import { createClient } from "@redis/client";
import { expect, test } from "vitest";
import { redis } from "../src/index.ts";
import { startRedisServer } from "../src/testing.ts";
import { b, fails, t } from "./rules/rule.ts";

const key = b("k");

test("commands follow the master that the sentinels name, and a subscription goes on there", async () => {
  await using master = await startRedisServer({ args: ["--repl-diskless-sync-delay", "0"] });
  await using replica = await startRedisServer({
    args: ["--replicaof", "127.0.0.1", String(master.port)],
  });
  await using sentinel = await startRedisServer({ sentinel: true });
  await monitor(sentinel.url, master.port);
  // The first sentinel is away: the next one is asked.
  const sentinels = ["redis://127.0.0.1:1", sentinel.url];
  const connections = { default: { sentinels, url: "redis://mymaster" } };
  await using backend = inMemory(redis({ connections }));
  const client = backend.client();
  const { connectionId } = await client.open({});
  const { subscriptionId } = await client.subscribe({ connectionId, channels: [b("c")] });
  await client.set({ connectionId, key, value: b("before") });
  await inSync(replica.url);

  await master.kill();
  const set = (): Promise<boolean> =>
    client.set({ connectionId, key, value: b("after") }).then(
      () => true,
      () => false,
    );
  expect(await set()).toBe(false);
  await expect.poll(set, { interval: 100 }).toBe(true);
  const direct = await createClient({ url: replica.url }).connect();
  expect(await direct.get("k")).toBe("after");
  direct.destroy();
  const say = (): Promise<number> =>
    client.publish({ connectionId, channel: b("c"), message: b("m") }).then(
      ({ receivers }) => Number(receivers),
      () => 0,
    );
  await expect.poll(say).toBe(1);
  const heard = [];
  for (let i = 0; i < 5 && heard.length === 0; i++) {
    heard.push(...(await client.poll({ subscriptionId, waitMs: 1_000 })).messages);
  }
  expect(heard.map((m) => t(m.message))).toContain("m");
});

test("a sentinel that hangs, and is asked first, keeps no first call from its answer", async () => {
  await using master = await startRedisServer();
  await using sentinel = await startRedisServer({ sentinel: true });
  await using hanging = await startRedisServer({ sentinel: true });
  await monitor(sentinel.url, master.port, 0);
  hanging.pause();
  const connections = {
    default: { sentinels: [hanging.url, sentinel.url], url: "redis://mymaster" },
  };
  await using backend = inMemory(redis({ connections }));
  expect(await backend.client().set({ key, value: b("v") })).toMatchObject({ written: true });
});

test("a master that no sentinel knows is UNAVAILABLE, and so it is without sentinels", async () => {
  await using sentinel = await startRedisServer({ sentinel: true });
  for (const sentinels of [[sentinel.url], ["redis://127.0.0.1:1"]]) {
    const connections = { default: { sentinels, url: "redis://nobody" } };
    await using backend = inMemory(redis({ connections }));
    const { message } = await fails(backend.client().open({}), Code.Unavailable);
    expect(message).toContain("master nobody cannot be reached");
  }
});

test("a sentinel that hangs is asked no longer than a connection may take: the next one is", async () => {
  await using master = await startRedisServer();
  await using hanging = await startRedisServer({ sentinel: true });
  await using sentinel = await startRedisServer({ sentinel: true });
  await monitor(sentinel.url, master.port, 0);
  hanging.pause();
  const address = { sentinels: [hanging.url, sentinel.url], url: "redis://mymaster" };
  const connections = { default: address };
  await using backend = inMemory(redis({ connections, connectTimeoutMs: 500 }));
  const set = async (): Promise<boolean> =>
    backend
      .client()
      .set({ key, value: b("v") })
      .then(
        () => true,
        () => false,
      );
  await expect.poll(set).toBe(true);
});

async function monitor(url: string, port: number, replicas = 1): Promise<void> {
  const client = await createClient({ url, RESP: 2 }).connect();
  await client.sendCommand(["SENTINEL", "MONITOR", "mymaster", "127.0.0.1", String(port), "1"]);
  await client.sendCommand(["SENTINEL", "SET", "mymaster", "down-after-milliseconds", "500"]);
  await client.sendCommand(["SENTINEL", "SET", "mymaster", "failover-timeout", "2000"]);
  await expect
    .poll(() => client.sendCommand(["SENTINEL", "REPLICAS", "mymaster"]))
    .toHaveLength(replicas);
  client.destroy();
}

async function inSync(url: string): Promise<void> {
  const client = await createClient({ url }).connect();
  await expect.poll(() => client.get("k")).toBe("before");
  client.destroy();
}
