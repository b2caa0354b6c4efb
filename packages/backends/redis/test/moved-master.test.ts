import { Code } from "@connectrpc/connect";
import { inMemory } from "@dropthrough/dispatch/testing";
import { expect, test } from "vitest";
import { redis } from "../src/index.ts";
import { startLyingNode, startLyingSentinel } from "./lying-node.ts";
import { b, fails, t } from "./rules/rule.ts";

test("a command that comes while a new master is connected to waits for it", async () => {
  await using first = await startLyingNode(
    () => "-READONLY You can't write against a read only replica.\r\n",
  );
  await using second = await startLyingNode(() => "$3\r\nnew\r\n");
  let { port } = first;
  await using sentinel = await startLyingSentinel(() => port);
  const connections = { default: { sentinels: [sentinel.url], url: "redis://mymaster" } };
  await using backend = inMemory(redis({ connections }));
  const client = backend.client();
  await fails(client.get({ key: b("k") }), Code.FailedPrecondition);
  ({ port } = second);
  await fails(client.get({ key: b("k") }), Code.FailedPrecondition);
  // It is connected, and has not greeted yet.
  while (second.connections === 0) await new Promise((resolve) => setImmediate(resolve));
  expect(t((await client.get({ key: b("k") })).value)).toBe("new");
});
