import { type Client, Code } from "@connectrpc/connect";
import { inMemory } from "@dropthrough/dispatch/testing";
import { describe, expect, test } from "vitest";
import { redis, type RedisService } from "../src/index.ts";
import { type LyingNode, slotsAt, startLyingNode } from "./lying-node.ts";
import { b, fails, t } from "./rules/rule.ts";

const key = b("k");
const add = { command: { case: "increment" as const, value: { key } } };

/** A backend of the cluster that a node says it belongs to. */
function clusterOf(
  ...nodes: readonly LyingNode[]
): ReturnType<typeof inMemory<typeof RedisService>> {
  return inMemory(redis({ connections: { default: { cluster: nodes.map(({ url }) => url) } } }));
}

/** That calls of every kind are UNAVAILABLE; what they say. */
async function nobodyTakes(client: Client<typeof RedisService>): Promise<string[]> {
  const calls = [
    client.get({ key }),
    client.transaction({ commands: [add] }),
    client.watch({ keys: [key] }),
    client.multiGet({ keys: [key, b("elsewhere")] }),
  ];
  const errors = await Promise.all(calls.map(async (call) => fails(call, Code.Unavailable)));
  return errors.map(({ message }) => message);
}

describe("a node that sends what it is asked elsewhere", () => {
  test("to itself, for ever: calls are UNAVAILABLE, and it is not asked for ever", async () => {
    await using node = await startLyingNode((words, { port }) =>
      words[0] === "CLUSTER" ? slotsAt(port) : `-MOVED 7629 127.0.0.1:${port}\r\n`,
    );
    await using backend = clusterOf(node);
    for (const message of await nobodyTakes(backend.client())) {
      expect(message).toContain("no node of the cluster takes it: one says MOVED");
    }
    expect(node.asked.length).toBeLessThan(250);
  });

  test("to another one, which sends it back: calls are UNAVAILABLE", async () => {
    const ports: number[] = [];
    const other = (port: number): number => ports.find((one) => one !== port) ?? 0;
    const lie = (words: readonly string[], { port }: LyingNode): string =>
      words[0] === "CLUSTER" ? slotsAt(other(port)) : `-MOVED 7629 127.0.0.1:${other(port)}\r\n`;
    await using first = await startLyingNode(lie);
    await using second = await startLyingNode(lie);
    ports.push(first.port, second.port);
    await using backend = clusterOf(first);
    for (const message of await nobodyTakes(backend.client())) {
      expect(message).toContain("no node of the cluster takes it: one says MOVED");
    }
    expect(first.asked.length + second.asked.length).toBeLessThan(250);
  });

  test("to a host that does not exist: calls are UNAVAILABLE", async () => {
    await using node = await startLyingNode((words, { port, asked }) => {
      if (words[0] !== "CLUSTER") return "-MOVED 7629 nowhere.invalid:6379\r\n";
      return asked.length > 1 ? slotsAt(6379, "nowhere.invalid") : slotsAt(port);
    });
    await using backend = clusterOf(node);
    for (const message of await nobodyTakes(backend.client())) {
      expect(message).toContain("nowhere.invalid:6379 cannot be reached");
    }
  });

  test("to ever new places that may have the key soon: some are tried, and no more", async () => {
    await using target = await startLyingNode(() => "$5\r\nfound\r\n");
    let place = 1;
    await using node = await startLyingNode((words, { port }) =>
      words[0] === "CLUSTER"
        ? slotsAt(port)
        : `-ASK 7629 127.0.${Math.floor(place / 250)}.${(place++ % 250) + 1}:${target.port}\r\n`,
    );
    await using backend = clusterOf(node);
    const calls = Array.from({ length: 100 }, async () => backend.client().get({ key }));
    const refused = (await Promise.allSettled(calls)).filter(
      (call) => call.status === "rejected" && String(call.reason).includes("one says ASK"),
    );
    expect(refused.length).toBeGreaterThan(60);
    expect(node.asked.filter((said) => said.startsWith("GET"))).toHaveLength(100);
  });
});

test("a watch of a key whose slot no node has is UNAVAILABLE, as a call is", async () => {
  await using node = await startLyingNode((words, { port }) =>
    words[0] === "CLUSTER" ? slotsAt(port, "127.0.0.1", 0, 5) : "$1\r\nv\r\n",
  );
  await using backend = clusterOf(node);
  for (const message of await nobodyTakes(backend.client())) {
    expect(message).toContain("CLUSTERDOWN no node has the slot");
  }
});

test("a node that names more slots than there are is not believed: the next one is asked", async () => {
  await using liar = await startLyingNode((words) => {
    const range = slotsAt(1).slice(4);
    return words[0] === "CLUSTER" ? `*20000\r\n${range.repeat(20_000)}` : "$3\r\nlie\r\n";
  });
  await using node = await startLyingNode((words, { port }) =>
    words[0] === "CLUSTER" ? slotsAt(port) : "$5\r\ntruth\r\n",
  );
  await using backend = clusterOf(liar, node);
  const { value } = await backend.client().get({ key });
  expect(t(value)).toBe("truth");
});

test.each([
  ["a call", async (client: Client<typeof RedisService>) => client.get({ key })],
  ["a watch", async (client: Client<typeof RedisService>) => client.watch({ keys: [key] })],
])(
  "a backend that is closed while nodes are asked who has what for %s connects to nobody any more",
  async (_, use) => {
    await using target = await startLyingNode(() => "$1\r\nv\r\n");
    let answer: (() => void) | undefined;
    await using node = await startLyingNode((words, { port, asked }) => {
      if (words[0] !== "CLUSTER") return `-MOVED 7629 127.0.0.1:${target.port}\r\n`;
      if (asked.length === 1) return slotsAt(port);
      answer?.();
      return undefined;
    });
    const backend = clusterOf(node);
    const looked = new Promise<void>((resolve) => (answer = resolve));
    const call = use(backend.client()).then(
      () => "answered",
      () => "failed",
    );
    await looked;
    const before = node.connections;
    await backend[Symbol.asyncDispose]();
    expect(await call).toBe("failed");
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect([node.connections, target.connections]).toEqual([before, 0]);
  },
);

test("a watch of a key whose node is gone finds the next one that has it, though nothing else was asked of that node", async () => {
  await using gone = await startLyingNode(() => undefined);
  await using heir = await startLyingNode(() => "+OK\r\n");
  let owner = gone.port;
  await using seed = await startLyingNode(() => slotsAt(owner));
  await using backend = clusterOf(seed);
  const client = backend.client();
  await gone[Symbol.asyncDispose]();
  await fails(client.watch({ keys: [key] }), Code.Unavailable);
  owner = heir.port;
  const watch = async (): Promise<boolean> =>
    client.watch({ keys: [key] }).then(
      () => true,
      () => false,
    );
  await expect.poll(watch, { timeout: 4_000 }).toBe(true);
});
