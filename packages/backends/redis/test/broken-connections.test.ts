import { expect, test } from "vitest";
import { parseAddress } from "../src/server/address.ts";
import { ask, type ServerClient } from "../src/server/client.ts";
import { SocketClient } from "../src/server/socket-client.ts";
import { startLyingNode } from "./lying-node.ts";

const limits = { connectTimeoutMs: 2_000, stallTimeoutMs: 10_000, maxReplyBytes: 1_000 };

test("a server that says what is no reply is tried ever less often, and at once again when it was well for a while", async () => {
  await using node = await startLyingNode(([name]) => (name === "GET" ? "?\r\n" : "+OK\r\n"));
  const waits: number[] = [];
  let up = (): void => {};
  const client: ServerClient = new SocketClient(parseAddress(node.url, "test"), limits, {
    up: () => up(),
    down() {},
    retryIn: (ms) => waits.push(ms),
  });
  const isUp = async (): Promise<void> => new Promise((resolve) => (up = resolve));
  await isUp();
  for (let i = 0; i < 3; i++) {
    const next = isUp();
    await expect(ask(client, { args: ["GET", "k"] })).rejects.toThrow("a reply begins");
    await next;
  }
  // 50, 100, 200 milliseconds, less a half at most.
  expect(waits[2]).toBeGreaterThanOrEqual(100);
  await new Promise((resolve) => setTimeout(resolve, 2_100));
  expect(await ask(client, { args: ["PING"] })).toBe("OK");
  await expect(ask(client, { args: ["GET", "k"] })).rejects.toThrow("a reply begins");
  expect(waits[3]).toBeLessThanOrEqual(50);
  client.destroy();
});
