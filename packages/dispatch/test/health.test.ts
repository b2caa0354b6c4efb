import { describe, expect, test } from "vitest";
import { type BackendInit, createRegistry, defineBackend } from "../src/index.ts";
import { echo, EchoService, ManualClock } from "../src/testing.ts";

const service = EchoService.typeName;

function registryWith(health: NonNullable<BackendInit["health"]>, clock = new ManualClock()) {
  const registry = createRegistry({ clock });
  registry.use(defineBackend({ name: "store", service: EchoService, impl: {}, health }));
  return registry;
}

describe("the health of a registry", () => {
  test("is what its backends say, and whose it is", async () => {
    expect(await registryWith(() => ({ ok: true })).health()).toEqual([
      { name: "store", service, ok: true },
    ]);
    const ill = registryWith(async () => Promise.resolve({ ok: false, message: "disk full" }));
    expect(await ill.health()).toEqual([
      { name: "store", service, ok: false, message: "disk full" },
    ]);
  });

  test("has nothing of those that say nothing, and of those that were taken out", async () => {
    const registry = createRegistry();
    registry.use(echo());
    expect(await registry.health()).toEqual([]);
    const other = createRegistry();
    const health = (): { ok: boolean } => ({ ok: true });
    const plugged = other.use(defineBackend({ ...echo(), health }));
    expect(await other.health()).toHaveLength(1);
    plugged[Symbol.dispose]();
    expect(await other.health()).toEqual([]);
  });

  test.each<[string, NonNullable<BackendInit["health"]>]>([
    ["throws", () => raise(new Error("no idea"))],
    ["rejects", async () => Promise.reject(new Error("no idea"))],
  ])("is not good if a backend %s", async (_, health) => {
    expect(await registryWith(health).health()).toEqual([
      { name: "store", service, ok: false, message: "failed to say how it is: Error: no idea" },
    ]);
  });

  test.each<[string, unknown, string | undefined]>([
    ["nothing", undefined, "failed to say how it is: TypeError: "],
    ["an empty one", {}, undefined],
    ["a text for yes", { ok: "yes" }, undefined],
  ])("is not good if a backend answers %s", async (_, answer, message) => {
    const [health] = await registryWith(() => answer as { ok: boolean }).health();
    expect(health?.ok).toBe(false);
    expect(health?.message?.slice(0, message?.length)).toBe(message);
  });

  test("is not good if a backend takes too long, and leaves no timer else", async () => {
    const clock = new ManualClock();
    const hangs = registryWith(async () => new Promise<never>(() => {}), clock);
    const health = hangs.health(300);
    clock.advance(299);
    expect(clock.pending).toBe(1);
    clock.advance(1);
    const message = "did not say how it is within 300 ms";
    expect(await health).toEqual([{ name: "store", service, ok: false, message }]);
    await registryWith(() => ({ ok: true }), clock).health();
    expect(clock.pending).toBe(0);
  });
});

function raise(error: Error): never {
  throw error;
}
