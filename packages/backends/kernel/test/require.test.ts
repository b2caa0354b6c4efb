import { Code } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import { failure, settled } from "./failure.ts";
import { World, type WorldGuest } from "./world.ts";

const KERNEL = "dropthrough.kernel.v1.KernelService";

describe("a cycle is refused at Require, with its path", () => {
  test("of one guest that requires what it exports", async () => {
    const a = new World().guest("a", ["x.S"]);
    expect((await failure(a.start("x.S"))).message).toBe(
      "[failed_precondition] a requires a: a guest cannot wait for itself",
    );
  });

  test.each([2, 5])("of %d guests", async (count) => {
    const names = ["a", "b", "c", "d", "e"].slice(0, count);
    const world = new World();
    const all = names.map((name) => world.guest(name, [`x.${name}`]));
    for (const guest of all) await guest.client.register({});
    for (const [i, guest] of all.entries()) {
      const required = guest.client.require({ services: [`x.${names[i + 1] ?? "a"}`] });
      if (i + 1 < count) await required;
      else {
        const path = [names.at(-1), ...names].join(" requires ");
        expect((await failure(required)).message).toBe(
          `[failed_precondition] ${path}: a guest cannot wait for itself`,
        );
      }
    }
  });

  test("through a pool, whose instances are one", async () => {
    const world = new World();
    const [one, two] = [world.guest("p", ["x.p"], 1), world.guest("p", ["x.p"], 2)];
    const a = world.guest("a", ["x.a"]);
    for (const guest of [one, two, a]) await guest.client.register({});
    await two.client.require({ services: ["x.a"] });
    expect((await failure(a.client.require({ services: ["x.p"] }))).rawMessage).toBe(
      "a requires p requires a: a guest cannot wait for itself",
    );
  });

  test("with nothing of the call declared, so that the guest may require less", async () => {
    const world = new World();
    const b = world.guest("b", ["x.b"]);
    const a = world.guest("a", ["x.a"]);
    await b.client.register({});
    await b.client.require({ services: ["x.a"] });
    await a.client.register({});
    await failure(a.client.require({ services: [KERNEL, "x.b"] }));
    expect(a.required.size).toBe(0);
    await a.start(KERNEL);
  });

  test("but not for a backend's service that the guest may export as well", async () => {
    const a = new World().guest("a", [KERNEL]);
    await a.client.register({});
    await a.client.require({ services: [KERNEL] });
    await a.client.launch({});
    expect(a.state).toBe("running");
  });

  test("among 200 guests that require 200 services each", async () => {
    const world = new World();
    const names = Array.from({ length: 200 }, (_, i) => `g${i}`);
    const all = names.map((name) => world.guest(name, [`x.${name}`]));
    for (const [i, guest] of all.entries()) {
      await guest.client.register({});
      await guest.client.require({ services: names.slice(0, i).map((name) => `x.${name}`) });
    }
    const error = await failure(
      all[0]?.client.require({ services: ["x.g199"] }) as Promise<object>,
    );
    expect(error.rawMessage).toContain("g0 requires g199 requires g0:");
  });
});

describe("what nobody can export is NOT_FOUND, naming who needs it", () => {
  test.each([
    ["words.v1.WordService", "; did you mean words.v1.WordsService of words.facade?"],
    ["words.v2.WordsService", "; did you mean words.v1.WordsService of words.facade?"],
    ["WordsService", "; did you mean words.v1.WordsService of words.facade?"],
    ["dropthrough.kernel.v2.KernelService", `; did you mean ${KERNEL} of kernel?`],
    ["quite.different.Thing", ""],
  ])("%s", async (service, hint) => {
    const world = new World();
    world.guest("words.facade", ["words.v1.WordsService"]);
    const error = await failure(world.guest("a").start(service));
    expect(error.message).toBe(
      `[not_found] a requires ${service}, and nobody exports it${hint}: add a backend or a guest that serves it`,
    );
  });

  test("also when the last one that might have was launched without", async () => {
    const world = new World();
    const b = world.guest("b", ["x.S"]);
    const start = failure(world.guest("a").start("x.S"));
    await settled();
    await b.client.register({});
    await b.client.launch({});
    expect((await start).message).toBe(
      "[not_found] a requires x.S, and nobody exports it; b may, but was launched without: add a backend or a guest that serves it",
    );
  });
});

describe("a provider that has gone is UNAVAILABLE, with its own words", () => {
  test.each([
    [
      "exits",
      "exited with code 3 (no disk)",
      (g: WorldGuest) => g.client.exit({ code: 3, reason: "no disk" }),
    ],
    ["crashes", "ended", async (g: WorldGuest) => g.end()],
  ])("when it %s while others wait, and before they do", async (_, how, go) => {
    const world = new World();
    const facade = world.guest("facade", ["x.S"]);
    const waiting = failure(world.guest("a").start("x.S"));
    await settled();
    await go(facade);
    const late = failure(world.guest("b").start("x.S"));
    expect((await waiting).message).toBe(
      `[unavailable] a requires x.S of facade, which ${how}: start it again, or look at why it ended`,
    );
    expect((await late).message).toBe(
      `[unavailable] b requires x.S of facade, which ${how}: start it again, or look at why it ended`,
    );
    expect(world.clock.pending).toBe(0);
  });

  test("and those who wait for the one that gives up hear of it when it ends", async () => {
    const world = new World();
    const [c, b] = [world.guest("c", ["x.c"]), world.guest("b", ["x.b"])];
    const [startB, startA] = [failure(b.start("x.c")), failure(world.guest("a").start("x.b"))];
    await settled();
    c.end();
    expect((await startB).code).toBe(Code.Unavailable);
    b.end();
    expect((await startA).rawMessage).toContain("a requires x.b of b, which ended");
  });
});
