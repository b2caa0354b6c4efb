import { type Client, Code } from "@connectrpc/connect";
import { inMemory } from "@dropthrough/dispatch/testing";
import { expect, test } from "vitest";
import { redis, type RedisService } from "../src/index.ts";
import { type LyingNode, startLyingNode } from "./lying-node.ts";
import { b, fails } from "./rules/rule.ts";

const key = b("k");
const commands = [{ command: { case: "increment" as const, value: { key } } }];
const CALLS: Record<string, (client: Client<typeof RedisService>) => Promise<unknown>> = {
  "a command": async (client) => client.get({ key }),
  "a command for several nodes": async (client) => client.multiGet({ keys: [key, b("elsewhere")] }),
  "a transaction": async (client) => client.transaction({ commands }),
  "a watch": async (client) => client.watch({ keys: [key] }),
};
const ANSWERS: Record<string, string> = {
  GET: "$1\r\nv\r\n",
  MGET: "*1\r\n$1\r\nv\r\n",
  INCRBY: "+QUEUED\r\n",
  EXEC: "*1\r\n:1\r\n",
};

/** What CLUSTER SLOTS answers: each of two nodes has a slot of its own, and one of them all others. */
function slotsOf(first: number, second: number, others: number): string {
  const range = (from: number, to: number, port: number): string =>
    `*3\r\n:${from}\r\n:${to}\r\n*2\r\n$9\r\n127.0.0.1\r\n:${port}\r\n`;
  return `*3\r\n${range(0, 0, first)}${range(1, 1, second)}${range(2, 16_383, others)}`;
}

/** What a call comes to, while two nodes each say for so many milliseconds that the other one has a slot. */
async function disagree(
  ms: number,
  outageWaitMs: number,
  call: (client: Client<typeof RedisService>) => Promise<unknown>,
): Promise<unknown> {
  let [one, two] = [0, 0];
  let healed = false;
  let healing: NodeJS.Timeout | undefined;
  const answer = ([name = ""]: readonly string[], { port }: LyingNode): string => {
    const other = port === one ? two : one;
    if (name === "CLUSTER") return slotsOf(one, two, healed ? one : other);
    if (healed) return ANSWERS[name] ?? "+OK\r\n";
    healing ??= setTimeout(() => (healed = true), ms);
    return `-MOVED 7629 127.0.0.1:${other}\r\n`;
  };
  await using first = await startLyingNode(answer);
  await using second = await startLyingNode(answer);
  [one, two] = [first.port, second.port];
  const connections = { default: { cluster: [first.url, second.url] } };
  await using backend = inMemory(redis({ connections, outageWaitMs }));
  try {
    return await call(backend.client());
  } finally {
    clearTimeout(healing);
  }
}

test.each(Object.entries(CALLS))(
  "%s is answered, though nodes did not agree for a moment on who has its slot",
  async (_, call) => {
    expect(await disagree(1_000, 2_000, call)).toBeDefined();
  },
);

test.each(Object.entries(CALLS))(
  "%s is UNAVAILABLE, if they do not agree for longer than an outage is waited for",
  async (_, call) => {
    const error = await fails(disagree(60_000, 50, call), Code.Unavailable);
    expect(error.message).toContain("no node of the cluster takes it: one says MOVED");
  },
);
