import { Code } from "@connectrpc/connect";
import { inMemory } from "@dropthrough/dispatch/testing";
import { expect, test } from "vitest";
import { redis } from "../src/index.ts";
import { startLyingNode } from "./lying-node.ts";
import { b, fails } from "./rules/rule.ts";

test("a connection of a watch that is lost is not made again, whether it is kept or in use", async () => {
  await using node = await startLyingNode(([name]) => (name === "EXEC" ? "*0\r\n" : "+OK\r\n"));
  await using backend = inMemory(redis({ url: node.url }));
  const client = backend.client();
  const watch = async (): Promise<string> => (await client.watch({ keys: [b("k")] })).watchId;
  const [used, ...kept] = await Promise.all([watch(), watch(), watch(), watch()]);
  for (const watchId of kept) await client.unwatch({ watchId });
  // One for commands, and one for each watch.
  expect(node.connections).toBe(5);
  node.hangUp();
  // As long as it takes until the first is back, and until each of the others had tried twice.
  await expect.poll(() => node.connections).toBe(6);
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(node.connections).toBe(6);
  await fails(client.transaction({ watchId: used }), Code.Aborted);
  await watch();
  expect(node.connections).toBe(7);
});
