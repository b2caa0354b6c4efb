import { Socket } from "node:net";
import { inMemory } from "@dropthrough/dispatch/testing";
import { expect, test, vi } from "vitest";
import { ListEnd, redis } from "../src/index.ts";
import { startRedisServer } from "../src/testing.ts";
import { b } from "./rules/rule.ts";

test("commands keep their order where the socket has no room for them", async () => {
  // A unix socket has little room, other than TCP on loopback.
  await using server = await startRedisServer({ unixSocket: true });
  await using backend = inMemory(redis({ url: server.url }));
  const client = backend.client();
  const key = b("list");
  await client.listLength({ key });
  server.pause();
  const given: Promise<unknown>[] = [];
  for (let turn = 0; turn < 20; turn++) {
    for (let i = 0; i < 3; i++) {
      const values = [new Uint8Array(256 * 1024).fill(given.length)];
      given.push(client.listPush({ key, values, end: ListEnd.RIGHT }));
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  server.resume();
  await Promise.all(given);
  const kept = given.map(async (_, i) => client.listIndex({ key, index: BigInt(i) }));
  expect((await Promise.all(kept)).map(({ value }) => value?.[0])).toEqual(given.map((_, i) => i));
});

test("commands of one turn of the event loop share a write", async () => {
  await using server = await startRedisServer();
  await using backend = inMemory(redis({ url: server.url }));
  const client = backend.client();
  const get = async (): Promise<unknown> => client.get({ key: b("k") });
  await get();
  let writes = 0;
  // What the stream of a socket calls once for each write of its own, of one piece or of several.
  for (const name of ["_write", "_writev"] as const) {
    const write = Socket.prototype[name] as (...args: unknown[]) => void;
    vi.spyOn(Socket.prototype, name).mockImplementation(function (
      this: Socket,
      ...args: unknown[]
    ) {
      writes++;
      return write.apply(this, args);
    });
  }
  try {
    for (const [count, expected] of [
      // The first of some is sent at once, since it could be the only one, until the last write had more than one.
      [200, 2],
      [200, 1],
      [256, 1],
      // The server answers the first 256 while the rest is made.
      [1000, 4],
      [1024, 4],
      [257, 2],
    ] as const) {
      writes = 0;
      await Promise.all(Array.from({ length: count }, get));
      expect(writes, `${count} commands`).toBe(expected);
    }
  } finally {
    vi.restoreAllMocks();
  }
});
