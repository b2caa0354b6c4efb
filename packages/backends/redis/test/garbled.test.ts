import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { Code } from "@connectrpc/connect";
import { inMemory } from "@dropthrough/dispatch/testing";
import { expect, test } from "vitest";
import { redis } from "../src/index.ts";
import { b, fails, t } from "./rules/rule.ts";

test.each([
  ["lists in lists, deeper than can be read", "*1\r\n".repeat(20_000)],
  ["what is no reply", "?\r\n"],
])("%s: the call is UNAVAILABLE, and the next one gets its own answer", async (_, garbage) => {
  let asked = 0;
  await using server = createServer((socket) => {
    socket.on("error", () => {});
    socket.on("data", (data) => {
      if (data.includes("HELLO")) socket.write("%1\r\n+proto\r\n:3\r\n");
      else socket.write(asked++ === 0 ? `${garbage}$5\r\nwrong\r\n` : "$5\r\nright\r\n");
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const backend = inMemory(redis({ url: `redis://127.0.0.1:${port}` }));
  const client = backend.client();
  try {
    await fails(client.get({ key: b("k") }), Code.Unavailable);
    expect(t((await client.get({ key: b("k") })).value)).toBe("right");
  } finally {
    await backend[Symbol.asyncDispose]();
  }
});
