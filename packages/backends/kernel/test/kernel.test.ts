import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createTransport, LocalCaller } from "@dropthrough/dispatch";
import { inMemory } from "@dropthrough/dispatch/testing";
import { describe, expect, test } from "vitest";
import { kernel, KernelService, OwnerKind } from "../src/index.ts";
import { World } from "./world.ts";

async function failure(promise: Promise<unknown>): Promise<ConnectError> {
  return promise.then(
    () => expect.fail("it succeeded"),
    (error: unknown) => ConnectError.from(error),
  );
}

/** Lets promises that can settle do so. */
const settled = async (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("Register", () => {
  test("answers the name and instance that the operator gave", async () => {
    const guest = new World().guest("a.b", [], 3);
    expect(await guest.client.register({})).toMatchObject({ name: "a.b", instance: 3 });
    expect(await guest.client.register({ name: "a.b" })).toMatchObject({ name: "a.b" });
  });

  test("under another name is INVALID_ARGUMENT", async () => {
    const error = await failure(new World().guest("a").client.register({ name: "b" }));
    expect(error.message).toBe(
      "[invalid_argument] this guest is named a here, not b: rename it in the config, or register without a name",
    );
  });

  test("by the program itself is FAILED_PRECONDITION, as is every call about a guest", async () => {
    const client = createClient(
      KernelService,
      createTransport(new World().registry.connect(new LocalCaller("host"))),
    );
    for (const call of [
      client.register({}),
      client.launch({}),
      client.exit({}),
      client.arguments({}),
    ]) {
      expect((await failure(call)).code).toBe(Code.FailedPrecondition);
    }
  });
});

describe("Export and Require", () => {
  test("before Register, or after Launch, are FAILED_PRECONDITION", async () => {
    const guest = new World().guest("a", ["x.S"]);
    expect((await failure(guest.client.export({ services: ["x.S"] }))).rawMessage).toBe(
      "a has not registered: call Register before Export",
    );
    expect((await failure(guest.client.require({ services: ["x.S"] }))).code).toBe(
      Code.FailedPrecondition,
    );
    expect((await failure(guest.client.launch({}))).code).toBe(Code.FailedPrecondition);
    await guest.start();
    expect((await failure(guest.client.export({ services: ["x.S"] }))).rawMessage).toBe(
      "a was launched already: Export comes before Launch",
    );
    expect((await failure(guest.client.require({ services: ["x.S"] }))).code).toBe(
      Code.FailedPrecondition,
    );
  });

  test("of what the operator did not allow is PERMISSION_DENIED", async () => {
    const guest = new World().guest("a", ["x.S"]);
    await guest.client.register({});
    expect((await failure(guest.client.export({ services: ["x.T"] }))).code).toBe(
      Code.PermissionDenied,
    );
  });

  test.each(["", "x/S", "x..S", "x.S ", "1.S", "x".repeat(257)])(
    "of the name %j is INVALID_ARGUMENT",
    async (name) => {
      const guest = new World().guest("a", [name]);
      await guest.client.register({});
      expect((await failure(guest.client.export({ services: [name] }))).code).toBe(
        Code.InvalidArgument,
      );
      expect((await failure(guest.client.require({ services: [name] }))).code).toBe(
        Code.InvalidArgument,
      );
    },
  );

  test("of more than 256 services is RESOURCE_EXHAUSTED", async () => {
    const guest = new World().guest("a");
    await guest.client.register({});
    const services = Array.from({ length: 257 }, (_, i) => `x.S${i}`);
    expect((await failure(guest.client.require({ services }))).code).toBe(Code.ResourceExhausted);
    expect(guest.required.size).toBe(0);
  });

  test("a cycle is FAILED_PRECONDITION with its path, however long", async () => {
    const world = new World();
    const [a, b, c] = [
      world.guest("a", ["x.A"]),
      world.guest("b", ["x.B"]),
      world.guest("c", ["x.C"]),
    ];
    for (const guest of [a, b, c]) await guest.client.register({});
    expect((await failure(a.client.require({ services: ["x.A"] }))).rawMessage).toContain(
      "a requires a:",
    );
    await a.client.require({ services: ["x.B"] });
    await b.client.require({ services: ["x.C"] });
    const error = await failure(c.client.require({ services: ["x.A"] }));
    expect(error.message).toBe(
      "[failed_precondition] c requires a requires b requires c: a guest cannot wait for itself",
    );
    expect(c.required.size).toBe(0);
  });
});

describe("Launch", () => {
  test("answers at once where everything required runs; a backend does", async () => {
    const world = new World();
    await world.guest("a").start("dropthrough.kernel.v1.KernelService");
    expect(world.launched).toEqual(["a1"]);
  });

  test("answers in topological order, whatever the order of the starts", async () => {
    const world = new World();
    const guests = {
      a: world.guest("a"),
      b: world.guest("b", ["x.B"]),
      c: world.guest("c", ["x.C"]),
      d: world.guest("d", ["x.D"]),
    };
    const starts = [guests.a.start("x.B", "x.C"), guests.b.start("x.D"), guests.c.start("x.D")];
    await settled();
    expect(world.launched).toEqual([]);
    await guests.d.start();
    await Promise.all(starts);
    expect(world.launched[0]).toBe("d1");
    expect(world.launched.at(-1)).toBe("a1");
    expect(world.clock.pending).toBe(0);
  });

  test("waits for one instance of a pool, not for all", async () => {
    const world = new World();
    const [first] = [world.guest("pool", ["x.S"], 1), world.guest("pool", ["x.S"], 2)];
    const start = world.guest("a").start("x.S");
    await first.start();
    await start;
    expect(world.launched).toEqual(["pool1", "a1"]);
  });

  test("is NOT_FOUND where nobody exports the service, and names one of a similar name", async () => {
    const world = new World();
    world.guest("words.facade", ["words.v1.WordsService"]);
    const error = await failure(world.guest("a").start("words.v1.WordService"));
    expect(error.message).toBe(
      "[not_found] a requires words.v1.WordService, and nobody exports it; did you mean words.v1.WordsService of words.facade?: add a backend or a guest that serves it",
    );
    expect((await failure(world.guest("b").start("quite.different.Thing"))).rawMessage).toBe(
      "b requires quite.different.Thing, and nobody exports it: add a backend or a guest that serves it",
    );
  });

  test("is UNAVAILABLE if the guest that was to serve exits instead of launching", async () => {
    const world = new World();
    const facade = world.guest("facade", ["x.S"]);
    const start = failure(world.guest("a").start("x.S"));
    await settled();
    facade.exit(3, "no");
    expect((await start).message).toBe(
      "[unavailable] a requires x.S of facade, which exited instead of launching",
    );
  });

  test("is DEADLINE_EXCEEDED at the startup deadline, with who waits for whom", async () => {
    const world = new World();
    world.guest("facade", ["x.S"]);
    const start = failure(world.guest("a").start("x.S"));
    await settled();
    world.clock.advance(1000);
    expect((await start).message).toBe(
      "[deadline_exceeded] a could not start within 1000 ms: facade has not launched; a waits for x.S of facade",
    );
    expect(world.clock.pending).toBe(0);
  });
});

describe("Locate and Services", () => {
  test("tell who serves, and how many instances take calls", async () => {
    const world = new World();
    const facade = world.guest("facade", ["x.S"]);
    const a = world.guest("a");
    await facade.start();
    await a.client.register({});
    expect((await failure(a.client.locate({ service: "x.S" }))).code).toBe(Code.FailedPrecondition);
    await a.client.require({ services: ["x.S", "x.T"] });
    expect((await a.client.locate({ service: "x.S" })).service).toMatchObject({
      name: "x.S",
      owner: "facade",
      kind: OwnerKind.GUEST,
      running: 1,
    });
    expect((await failure(a.client.locate({ service: "x.T" }))).code).toBe(Code.NotFound);
    const { services } = await a.client.services({});
    expect(services.map((s) => [s.name, s.owner, s.kind])).toEqual([
      ["dropthrough.kernel.v1.KernelService", "kernel", OwnerKind.BACKEND],
      ["x.S", "facade", OwnerKind.GUEST],
    ]);
    expect(services[0]?.methods).toContain("Launch");
  });
});

test("Exit ends the calling guest with its code and reason", async () => {
  const guest = new World().guest("a");
  await guest.client.exit({ code: 7, reason: "done" });
  expect(guest.exitedWith).toEqual([7, "done"]);
});

test("Arguments are the operator's", async () => {
  expect((await new World().guest("a").client.arguments({})).arguments).toEqual(["a", "b"]);
});

test("a kernel without a host says so", async () => {
  await using backend = inMemory(kernel());
  expect((await failure(backend.client().services({}))).rawMessage).toBe(
    "this kernel belongs to no host: pass it to createHost",
  );
});
