import { createClient } from "@connectrpc/connect";
import { type CallRecord, defineBackend } from "@dropthrough/dispatch";
import { describe, expect, test } from "vitest";
import { FACADE, renamed } from "./control.ts";
import { facade, facadeService, passThrough, say, start } from "./deployment.ts";

describe("several guests that export one service", () => {
  const tells = (text: string): Uint8Array<ArrayBuffer> =>
    facade((g) => say(g, text) + passThrough(g));
  const two = [
    { name: "a", module: tells("serves"), exports: [FACADE] },
    { name: "b", module: tells("serves"), exports: [FACADE] },
  ];

  test("take turns, and both are its owners", async () => {
    const log: string[] = [];
    await using host = start(two, { log });
    await host.start();
    const client = createClient(facadeService, host.transport);
    for (let i = 0; i < 4; i++) await client.echo({});
    expect(log).toEqual(["a1 serves", "b1 serves", "a1 serves", "b1 serves"]);
    const [service] = host.registry.services().filter((s) => s.name === FACADE);
    expect(service).toMatchObject({ owner: "a", owners: ["a", "b"], kind: "guest", running: 2 });
  });

  test("share what waits: when one dies the other answers all of it, in order", async () => {
    const dies = facade((g) => `${passThrough(g)} unreachable`);
    const log: string[] = [];
    await using host = start([{ name: "dies", module: dies, exports: [FACADE] }, ...two.slice(1)], {
      log,
      limits: { restarts: 0 },
    });
    await host.start();
    const client = createClient(facadeService, host.transport);
    const payloads = Array.from({ length: 50 }, (_, i) => String(i));
    const order: string[] = [];
    const results = await Promise.allSettled(
      payloads.map(async (text) => {
        await client.echo({ payload: Buffer.from(text), delayMs: 2 });
        order.push(text);
      }),
    );
    // The first call was answered before its guest trapped.
    expect(results.map((r) => r.status)).not.toContain("rejected");
    expect(order.toSorted((a, b) => Number(a) - Number(b))).toEqual(payloads);
    expect(log).toHaveLength(49);
    expect(host.registry.services().find((s) => s.name === FACADE)?.owners).toEqual(["b"]);
  });

  test("and a backend's service is none that a guest may share: the error names both", async () => {
    const backend = defineBackend({ name: "taken", service: renamed(FACADE), impl: {} });
    const reasons: string[] = [];
    await using host = start(two.slice(0, 1), {
      backends: [backend],
      observers: [
        {
          ended: (record: CallRecord) =>
            void (record.error && reasons.push(record.error.rawMessage)),
        },
      ],
    });
    await host.start();
    expect(reasons).toEqual([`${FACADE} has two owners, "taken" and "a": plug in one of them`]);
  });
});
