import { inMemory } from "@dropthrough/dispatch/testing";
import { expect, test } from "vitest";
import { redis } from "../src/index.ts";
import { startRedisServer } from "../src/testing.ts";
import { startFarServer } from "./far-server.ts";
import { b, t } from "./rules/rule.ts";

test("who begins to listen to a channel hears it, though another one stops at the same moment", async () => {
  await using server = await startRedisServer();
  await using far = await startFarServer(server.port, 40);
  await using backend = inMemory(redis({ url: far.url }));
  const [stops, stays] = [backend.client("stops"), backend.client("stays")];
  // They share a connection.
  await stops.subscribe({ channels: [b("other")] });
  for (const names of [{ channels: [b("c")] }, { patterns: [b("p*")] }]) {
    const first = stops.subscribe(names);
    await new Promise((resolve) => setTimeout(resolve, 20));
    const second = stays.subscribe(names);
    await stops.unsubscribe({ subscriptionId: (await first).subscriptionId });
    const { subscriptionId } = await second;
    const channel = "channels" in names ? "c" : "part";
    const { receivers } = await stays.publish({ channel: b(channel), message: b("m") });
    expect(receivers).toBe(1n);
    const { messages } = await stays.poll({ subscriptionId, waitMs: 1_000 });
    expect(messages.map(({ message }) => t(message))).toEqual(["m"]);
  }
});
