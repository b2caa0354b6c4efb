import { Code } from "@connectrpc/connect";
import { inMemory } from "@dropthrough/dispatch/testing";
import { expect, test } from "vitest";
import { redis } from "../src/index.ts";
import { Keyspace } from "../src/keyspace.ts";
import { Subscription } from "../src/subscription.ts";
import { b } from "./rules/rule.ts";

const MIB = 2 ** 20;
const { signal } = new AbortController();

test("a subscription keeps 16 MiB at most: the oldest are dropped and counted, and no message is larger than an answer", async () => {
  await using subscription = new Subscription(65_536, new Keyspace(""));
  const channel = Buffer.from("c");
  for (let i = 0; i < 20; i++) subscription.message(channel, Buffer.alloc(MIB - 1, i));
  subscription.message(channel, Buffer.alloc(2 * MIB));
  const heard: number[] = [];
  let lost = 0n;
  for (;;) {
    const { messages = [], lost: more = 0n } = await subscription.poll(256, 0, { signal });
    lost += more;
    if (messages.length === 0) break;
    const bytes = messages.reduce((sum, { message }) => sum + (message?.length ?? 0), 0);
    expect(bytes).toBeLessThanOrEqual(2 * MIB);
    heard.push(...messages.map(({ message }) => message?.[0] ?? -1));
  }
  expect(heard).toEqual([4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19]);
  expect(lost).toBe(5n);
});

test("messages of a poll that is given up before it is answered, by an interceptor that waits, are for the next one", async () => {
  let late = true;
  await using backend = inMemory(redis(), {
    interceptors: [
      (next) => async (request) => {
        const response = await next(request);
        if (late && request.method.name === "Poll") await new Promise(() => {});
        return response;
      },
    ],
  });
  const client = backend.client();
  const { subscriptionId } = await client.subscribe({ channels: [b("c")] });
  const gives = async (waitMs: number): Promise<void> =>
    expect(client.poll({ subscriptionId, waitMs }, { timeoutMs: 50 })).rejects.toMatchObject({
      code: Code.DeadlineExceeded,
    });
  await client.publish({ channel: b("c"), message: b("1") });
  await gives(0);
  await gives(10_000);
  await client.publish({ channel: b("c"), message: b("2") });
  late = false;
  const { messages, lost } = await client.poll({ subscriptionId });
  expect(messages.map(({ message }) => Buffer.from(message).toString())).toEqual(["1", "2"]);
  expect(lost).toBe(0n);
});

test("messages of such a poll are lost, and say so, where another one has taken later ones meanwhile", async () => {
  await using subscription = new Subscription(2, new Keyspace(""));
  const gone = new AbortController();
  const say = (text: string): void => subscription.message(b("c"), Buffer.from(text));
  say("1");
  await subscription.poll(1, 0, gone);
  say("2");
  await subscription.poll(1, 0, { signal });
  gone.abort();
  say("3");
  const { messages = [], lost } = await subscription.poll(256, 0, { signal });
  expect(messages.map(({ message }) => Buffer.from(message ?? []).toString())).toEqual(["3"]);
  expect(lost).toBe(1n);
});
