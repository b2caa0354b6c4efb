import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { type Client, Code } from "@connectrpc/connect";
import { inMemory } from "@dropthrough/dispatch/testing";
import { afterAll, describe, expect, test } from "vitest";
import { ListEnd, redis, type RedisOptions, type RedisService } from "../src/index.ts";
import { startRedisServer } from "../src/testing.ts";
import { startRedisCluster } from "./cluster.ts";
import { startLyingNode } from "./lying-node.ts";
import { b, fails, t } from "./rules/rule.ts";

const KIB = 1024;

/** The value of a key is above the bound, that of another is below. */
async function fill(client: Client<typeof RedisService>): Promise<void> {
  await client.set({ key: b("large"), value: new Uint8Array(200 * KIB) });
  await client.set({ key: b("middle"), value: new Uint8Array(60 * KIB) });
  await client.set({ key: b("small"), value: b("s") });
  const values = Array.from({ length: 4 }, () => new Uint8Array(60 * KIB));
  await client.listPush({ key: b("list"), end: ListEnd.RIGHT, values });
}

const get = (key: string): { command: { case: "get"; value: { key: Uint8Array } } } => ({
  command: { case: "get", value: { key: b(key) } },
});

const cluster = await startRedisCluster();
afterAll(() => cluster[Symbol.asyncDispose]());
const clusterAddress = { cluster: cluster.nodes.map(({ url }) => url) };

describe.each(["a server", "a cluster", "the embedded engine"])(
  "replies above maxReplyBytes, of %s",
  (which) => {
    const maxReplyBytes = 100 * KIB;

    async function inside(
      prove: (client: Client<typeof RedisService>) => Promise<void>,
    ): Promise<void> {
      const server = which === "a server" ? await startRedisServer() : undefined;
      if (which === "a cluster") await cluster.flush();
      const options: RedisOptions = {
        maxReplyBytes,
        ...(server && { url: server.url }),
        // In one slot: else it depends on the nodes which reply is there first.
        ...(which === "a cluster" && { connections: { default: clusterAddress }, prefix: "{p}" }),
      };
      try {
        await using backend = inMemory(redis(options));
        const client = backend.client();
        await fill(client);
        await prove(client);
      } finally {
        await server?.[Symbol.asyncDispose]();
      }
    }

    test("are RESOURCE_EXHAUSTED, and what was asked at the same time is answered", () =>
      inside(async (client) => {
        for (let round = 0; round < 3; round++) {
          const [before, large, list, many, after] = await Promise.allSettled([
            client.get({ key: b("small") }),
            fails(client.get({ key: b("large") }), Code.ResourceExhausted),
            fails(
              client.listRange({ key: b("list"), start: 0n, stop: -1n }),
              Code.ResourceExhausted,
            ),
            fails(
              client.multiGet({ keys: [b("middle"), b("small"), b("middle")] }),
              Code.ResourceExhausted,
            ),
            client.get({ key: b("middle") }),
          ]);
          expect(before.status === "fulfilled" && t(before.value.value)).toBe("s");
          for (const one of [large, list, many]) expect(one?.status).toBe("fulfilled");
          expect(after.status === "fulfilled" && after.value.value?.length).toBe(60 * KIB);
        }
      }));

    test("in a pipeline fail by themselves, and so does what is too large together with what came before", () =>
      inside(async (client) => {
        const commands = [get("small"), get("large"), get("middle"), get("small"), get("middle")];
        const { results } = await client.pipeline({ commands });
        const kinds = results.map(({ result }) =>
          result.case === "failure" ? Code[result.value.code] : result.case,
        );
        const large = "ResourceExhausted";
        // The engine has no room left after the first; a server's reply that was thrown away took none.
        expect(kinds).toEqual(
          which === "the embedded engine"
            ? ["get", large, large, large, large]
            : ["get", large, "get", "get", large],
        );
      }));

    test("lists of empty values take room too", () =>
      inside(async (client) => {
        const key = b("empty");
        const values = Array.from({ length: 1_000 }, () => new Uint8Array());
        await client.listPush({ key, values, end: ListEnd.RIGHT });
        const range = {
          command: { case: "listRange" as const, value: { key, start: 0n, stop: -1n } },
        };
        const commands = Array.from({ length: 100 }, () => range);
        const { results } = await client.pipeline({ commands });
        expect(results.filter(({ result }) => result.case === "listRange")).toHaveLength(1);
        expect(results.filter(({ result }) => result.case === "failure")).toHaveLength(99);
      }));

    test("many times one value in one pipeline does not fill the host's memory", () =>
      inside(async (client) => {
        const commands = Array.from({ length: 1_000 }, () => get("middle"));
        const { results } = await client.pipeline({ commands });
        const done = results.filter(({ result }) => result.case === "get");
        expect(done).toHaveLength(1);
      }));
  },
);

test.each(["a server", "a cluster"])(
  "%s: a transaction whose replies are too large together is RESOURCE_EXHAUSTED, also one that watches",
  async (which) => {
    await using server = await startRedisServer();
    const address = which === "a server" ? server.url : clusterAddress;
    const connections = { default: address };
    // In a cluster, a transaction has its keys in one slot.
    await using backend = inMemory(redis({ connections, prefix: "{p}", maxReplyBytes: 100 * KIB }));
    const client = backend.client();
    await fill(client);
    const commands = [get("middle"), get("middle")];
    await fails(client.transaction({ commands }), Code.ResourceExhausted);
    const { watchId } = await client.watch({ keys: [b("small")] });
    await fails(client.transaction({ commands, watchId }), Code.ResourceExhausted);
    expect(t((await client.get({ key: b("small") })).value)).toBe("s");
  },
);

test("a message that is too large counts as an interruption, and the next one is heard", async () => {
  await using server = await startRedisServer();
  await using teller = inMemory(redis({ url: server.url }));
  await using backend = inMemory(redis({ url: server.url, maxReplyBytes: 100 * KIB }));
  const client = backend.client();
  const { subscriptionId } = await client.subscribe({ channels: [b("c")] });
  const says = teller.client();
  await says.publish({ channel: b("c"), message: new Uint8Array(200 * KIB) });
  await says.publish({ channel: b("c"), message: b("m") });
  const first = await client.poll({ subscriptionId, waitMs: 5_000 });
  let { messages } = first;
  if (messages.length === 0) ({ messages } = await client.poll({ subscriptionId, waitMs: 5_000 }));
  expect(first.interruptions).toBe(1n);
  expect(messages.map(({ message }) => t(message))).toEqual(["m"]);
});

test("a poll that waits hears of the interruption before what was said next, though both came at once", async () => {
  const push = (...words: string[]): string =>
    `>3\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join("")}`;
  await using node = await startLyingNode(([, channel = ""]) => {
    const begun = `${push("subscribe", channel)}:1\r\n`;
    if (channel === "c") return begun;
    return begun + push("message", "c", "x".repeat(2 * KIB)) + push("message", "c", "m");
  });
  await using backend = inMemory(redis({ url: node.url, maxReplyBytes: KIB }));
  const client = backend.client();
  const { subscriptionId } = await client.subscribe({ channels: [b("c")] });
  const waiting = client.poll({ subscriptionId, waitMs: 5_000 });
  await client.subscribe({ channels: [b("other")] });
  expect(await waiting).toMatchObject({ messages: [], interruptions: 1n });
  const { messages, interruptions } = await client.poll({ subscriptionId });
  expect(messages.map(({ message }) => t(message))).toEqual(["m"]);
  expect(interruptions).toBe(0n);
});

test.each(["a server", "a node of a cluster"])(
  "%s that announces more than it sends takes no memory of the host",
  async (which) => {
    await using server = createServer((socket) => {
      socket.on("error", () => {});
      socket.on("data", (data) => {
        if (data.includes("HELLO")) socket.write("%1\r\n+proto\r\n:3\r\n+PONG\r\n");
        else if (data.includes("SLOTS")) {
          const node = `*2\r\n$9\r\n127.0.0.1\r\n:${(server.address() as AddressInfo).port}\r\n`;
          socket.write(`*1\r\n*3\r\n:0\r\n:16383\r\n${node}`);
        } else if (data.includes("small")) socket.write("$1\r\ns\r\n");
        else socket.write("*33000000\r\n".repeat(4));
      });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const url = `redis://127.0.0.1:${port}`;
    const address = which === "a server" ? url : { cluster: [url] };
    const backend = inMemory(redis({ connections: { default: address } }));
    const client = backend.client();
    try {
      await client.get({ key: b("small") });
      const before = process.memoryUsage().rss;
      await fails(client.get({ key: b("k") }, { timeoutMs: 500 }), Code.DeadlineExceeded);
      expect(process.memoryUsage().rss - before).toBeLessThan(100e6);
    } finally {
      await backend[Symbol.asyncDispose]();
    }
  },
);
