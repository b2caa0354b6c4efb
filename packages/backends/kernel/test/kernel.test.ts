import { fromBinary } from "@bufbuild/protobuf";
import { Code, createClient } from "@connectrpc/connect";
import { createTransport, LocalCaller } from "@dropthrough/dispatch";
import { inMemory } from "@dropthrough/dispatch/testing";
import { describe, expect, test, vi } from "vitest";
import { ExitCallSchema, kernel, KernelService, OwnerKind } from "../src/index.ts";
import { failure } from "./failure.ts";
import { World } from "./world.ts";

const KERNEL = "dropthrough.kernel.v1.KernelService";

describe("Register", () => {
  test("answers the name and instance that the operator gave, as often as it is called", async () => {
    const guest = new World().guest("a.b", [], 3);
    expect(await guest.client.register({})).toMatchObject({ name: "a.b", instance: 3 });
    expect(await guest.client.register({ name: "a.b" })).toMatchObject({ name: "a.b" });
  });

  test("under another name is INVALID_ARGUMENT", async () => {
    const error = await failure(new World().guest("a").client.register({ name: "b\u001b[2J" }));
    expect(error.message).toBe(
      "[invalid_argument] this guest is named a here, not b\\u001b[2J: rename it in the config, or register without a name",
    );
  });

  test("by the program itself is FAILED_PRECONDITION, as is every call about a guest", async () => {
    const client = createClient(
      KernelService,
      createTransport(new World().registry.connect(new LocalCaller("host"))),
    );
    for (const call of [
      client.register({}),
      client.export({}),
      client.require({}),
      client.locate({}),
      client.launch({}),
      client.exit({}),
      client.arguments({}),
      client.environment({}),
      client.receive({}),
      client.atExit({}),
    ]) {
      expect((await failure(call)).message).toBe(
        "[failed_precondition] host is no guest: the kernel answers guests",
      );
    }
  });
});

describe("Export and Require", () => {
  test("of nothing let a guest launch without a look at all others", async () => {
    await using world = new World();
    const { client } = world.guest("a");
    await client.register({});
    const services = vi.spyOn(world, "services");
    await client.export({});
    await client.require({});
    await client.launch({});
    expect(services).not.toHaveBeenCalled();
    expect(world.launched).toEqual(["a1"]);
  });

  test("before Register, or after Launch, are FAILED_PRECONDITION, as is Launch", async () => {
    const guest = new World().guest("a", ["x.S"]);
    expect((await failure(guest.client.export({ services: ["x.S"] }))).message).toBe(
      "[failed_precondition] a has not registered: call Register before Export",
    );
    expect((await failure(guest.client.require({ services: ["x.S"] }))).message).toBe(
      "[failed_precondition] a has not registered: call Register before Require",
    );
    expect((await failure(guest.client.launch({}))).message).toBe(
      "[failed_precondition] a has not registered: call Register before Launch",
    );
    await guest.start();
    expect((await failure(guest.client.export({ services: ["x.S"] }))).message).toBe(
      "[failed_precondition] a was launched already: Export comes before Launch",
    );
    expect((await failure(guest.client.require({ services: ["x.T"] }))).message).toBe(
      "[failed_precondition] a was launched already: Require comes before Launch",
    );
  });

  test("twice of the same service are OK", async () => {
    const guest = new World().guest("a", ["x.S"]);
    await guest.client.register({});
    for (let i = 0; i < 2; i++) {
      await guest.client.export({ services: ["x.S", "x.S"] });
      await guest.client.require({ services: [KERNEL, KERNEL] });
    }
    expect([...guest.exported, ...guest.required]).toEqual(["x.S", KERNEL]);
  });

  test("Export of what the operator did not allow is PERMISSION_DENIED", async () => {
    const guest = new World().guest("a", ["x.S"]);
    await guest.client.register({});
    const error = await failure(guest.client.export({ services: ["x.T"] }));
    expect(error.code).toBe(Code.PermissionDenied);
  });

  test("Export of what a backend owns is ALREADY_EXISTS; what another guest exports may be shared", async () => {
    const world = new World();
    await world.guest("b", ["x.S"]).start();
    const guest = world.guest("a", ["x.S", KERNEL]);
    await guest.client.register({});
    const refused = await failure(guest.client.export({ services: [KERNEL] }));
    expect(refused.code).toBe(Code.AlreadyExists);
    await guest.client.export({ services: ["x.S"] });
    await guest.client.launch({});
    const { services } = await guest.client.services({});
    expect(services.find((s) => s.name === "x.S")).toMatchObject({
      owner: "b",
      owners: ["b", "a"],
      running: 2,
    });
  });

  test.each(["", ".", "x/S", "x..S", "x.S ", "x.S\n", "1.S", "x.1", "ä.S", "x".repeat(257)])(
    "of the name %j are INVALID_ARGUMENT",
    async (name) => {
      const guest = new World().guest("a", [name]);
      await guest.client.register({});
      for (const call of [guest.client.export, guest.client.require]) {
        expect((await failure(call({ services: ["x.S", name] }))).code).toBe(Code.InvalidArgument);
      }
      expect(guest.required.size).toBe(0);
    },
  );

  test("of a name that would drive a terminal quote it harmlessly", async () => {
    const guest = new World().guest("a");
    await guest.client.register({});
    const error = await failure(guest.client.require({ services: ["\u001b[2J\u202ex"] }));
    expect(error.rawMessage).toBe('"\\u001b[2J\\u202ex" is no service name: write package.Service');
  });

  test("of more than 256 services in all are RESOURCE_EXHAUSTED, and declare none", async () => {
    const names = Array.from({ length: 257 }, (_, i) => `x.S${i}`);
    const guest = new World().guest("a", names);
    const other = new World().guest("b");
    await guest.client.register({});
    await other.client.register({});
    await guest.client.export({ services: names.slice(0, 200) });
    await other.client.require({ services: names.slice(0, 200) });
    for (const call of [guest.client.export, other.client.require]) {
      expect((await failure(call({ services: names.slice(200) }))).code).toBe(
        Code.ResourceExhausted,
      );
      await call({ services: [...names.slice(200, 256), "x.S0"] });
    }
    expect([guest.exported.size, other.required.size]).toEqual([256, 256]);
  });
});

describe("Locate", () => {
  test("of a service that several guests export names all of them, and is UNAVAILABLE only when none of them runs", async () => {
    const world = new World();
    const [b, c] = [world.guest("b", ["x.S"]), world.guest("c", ["x.S"])];
    await b.start();
    await c.start();
    const a = world.guest("a");
    await a.start("x.S");
    const located = async (): Promise<unknown> =>
      (await a.client.locate({ service: "x.S" })).service;
    expect(await located()).toMatchObject({ owner: "b", owners: ["b", "c"], running: 2 });
    b.state = "exiting";
    expect(await located()).toMatchObject({ owners: ["b", "c"], running: 1 });
    c.state = "exiting";
    expect((await failure(located())).message).toBe(
      "[unavailable] no instance of b or c runs now, which serves x.S: try again",
    );
    b.end();
    c.state = "running";
    expect(await located()).toMatchObject({ owner: "c", owners: ["c"], running: 1 });
  });

  test("tells who serves a required service, and how many instances take calls", async () => {
    const world = new World();
    await world.guest("facade", ["x.S"], 1).start();
    await world.guest("facade", ["x.S"], 2).start();
    const a = world.guest("a");
    await a.start("x.S");
    expect((await a.client.locate({ service: "x.S" })).service).toMatchObject({
      name: "x.S",
      owner: "facade",
      kind: OwnerKind.GUEST,
      running: 2,
    });
  });

  test("of what was not required is FAILED_PRECONDITION", async () => {
    const guest = new World().guest("a");
    expect((await failure(guest.client.locate({ service: KERNEL }))).message).toBe(
      `[failed_precondition] a has not required ${KERNEL}: require it before Launch`,
    );
  });

  test("of what nobody serves is NOT_FOUND, of what does not run UNAVAILABLE", async () => {
    const world = new World();
    const facade = world.guest("facade", ["x.S"]);
    const a = world.guest("a");
    await a.client.register({});
    await a.client.require({ services: ["x.S"] });
    expect((await failure(a.client.locate({ service: "x.S" }))).code).toBe(Code.NotFound);
    await facade.client.register({});
    await facade.client.export({ services: ["x.S"] });
    expect((await failure(a.client.locate({ service: "x.S" }))).message).toBe(
      "[unavailable] no instance of facade runs now, which serves x.S: try again",
    );
  });
});

describe("Receive", () => {
  test("answers what the host tells, of every kind", async () => {
    const guest = new World().guest("a");
    await guest.client.register({});
    guest.events.push(
      { kind: "incoming", call: 1, method: 2, length: 3 },
      Promise.resolve({ kind: "finished", call: 4 }),
      { kind: "exit", code: 5, reason: "why", graceMs: 6.5 },
      { kind: "timeout" },
    );
    const events: unknown[] = [];
    for (const timeoutMs of [undefined, 0, 70, 2 ** 32 - 1]) {
      const { event } = await guest.client.receive(timeoutMs === undefined ? {} : { timeoutMs });
      events.push(event);
    }
    expect(events).toMatchObject([
      { case: "incoming", value: { call: 1, method: 2, length: 3 } },
      { case: "finished", value: { call: 4 } },
      { case: "exit", value: { code: 5, reason: "why", graceMs: 7 } },
      { case: "timeout", value: {} },
    ]);
    expect(guest.received).toEqual([undefined, 0, 70, 2 ** 32 - 1]);
  });

  test("before Register is FAILED_PRECONDITION", async () => {
    const error = await failure(new World().guest("a").client.receive({}));
    expect(error.message).toBe(
      "[failed_precondition] a has not registered: call Register before Receive",
    );
  });
});

test("Services lists every service with its owner, kind, state and methods", async () => {
  const world = new World();
  const facade = world.guest("facade", ["x.S"]);
  await facade.client.register({});
  await facade.client.export({ services: ["x.S"] });
  const list = async () => (await facade.client.services({})).services;
  expect((await list()).map((s) => [s.name, s.owner, s.kind, s.running])).toEqual([
    [KERNEL, "kernel", OwnerKind.BACKEND, 1],
    ["x.S", "facade", OwnerKind.GUEST, 0],
  ]);
  expect((await list())[0]?.methods.slice(0, 3)).toEqual(["Register", "Export", "Require"]);
  await facade.client.launch({});
  expect((await list())[1]?.running).toBe(1);
});

test("Exit ends the calling guest with its code and reason, whose escape sequences drive no terminal", async () => {
  const guest = new World().guest("a");
  await guest.client.exit({ code: 7, reason: "done\u001b[2J" });
  expect(guest.exitedWith).toEqual({ code: 7, reason: "done\\u001b[2J" });
  await guest.client.exit({ code: -1, reason: "x".repeat(5_000) });
  expect(guest.exitedWith?.reason).toHaveLength(1_025);
});

test("AtExit answers the number that the host gives, and its call is an ExitCall", async () => {
  const guest = new World().guest("a");
  expect(await guest.client.atExit({})).toMatchObject({ method: 7 });
  const call = fromBinary(ExitCallSchema, guest.lastCall ?? new Uint8Array());
  expect(call).toMatchObject({ code: 5, reason: "why", graceMs: 7 });
});

test("a Launch that fails tells the host, and one that does not, nothing", async () => {
  const guest = new World().guest("a");
  await failure(guest.client.launch({}));
  expect(guest.failure).toBe("a has not registered: call Register before Launch");
  guest.failure = undefined;
  await failure(guest.start("x.nobody"));
  expect(guest.failure).toContain("a requires x.nobody, and nobody exports it");
  const other = new World().guest("b");
  await other.start();
  expect(other.failure).toBeUndefined();
});

test("Arguments are the operator's", async () => {
  expect((await new World().guest("a").client.arguments({})).arguments).toEqual(["a", "b"]);
});

describe("a kernel", () => {
  test("without a host says so", async () => {
    await using backend = inMemory(kernel());
    expect((await failure(backend.client().services({}))).message).toBe(
      "[failed_precondition] this kernel belongs to no host: pass it to createHost",
    );
  });

  test("belongs to one host", () => {
    const world = new World();
    const [entry] = [world.registry.find(`${KERNEL}/Register`)?.entry];
    if (entry?.kind !== "backend") expect.fail("it is a backend");
    expect(() => new World().registry.attach(world as never)).toThrow(TypeError);
    expect(() => entry.attach?.(world as never)).toThrow(
      "this kernel belongs to a host already: make another one",
    );
  });

  test("does not take an option that there is not", () => {
    expect(() => kernel({ startupTimeout: 1 } as object)).toThrow(
      'kernel: "startupTimeout" is unknown; there is startupTimeoutMs, wallClock, random; did you mean startupTimeoutMs?',
    );
  });

  test.each([0, -1, NaN])("does not take %d as a startup timeout", (startupTimeoutMs) => {
    expect(() => kernel({ startupTimeoutMs })).toThrow(
      `startupTimeoutMs is ${startupTimeoutMs}: give a number of milliseconds above 0`,
    );
  });
});
