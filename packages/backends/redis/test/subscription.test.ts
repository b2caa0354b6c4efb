import { expect, test } from "vitest";
import { Keyspace } from "../src/keyspace.ts";
import { Subscription } from "../src/subscription.ts";

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
