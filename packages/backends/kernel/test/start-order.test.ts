import { Code, ConnectError } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import { failure, settled } from "./failure.ts";
import { World, type WorldGuest } from "./world.ts";

const KERNEL = "dropthrough.kernel.v1.KernelService";

/** What each guest exports is `x.` and its name; what it requires is given by names. */
type Needs = Readonly<Record<string, readonly string[]>>;

/** Every order of some values. */
function orders<T>(values: readonly T[]): T[][] {
  if (values.length === 0) return [[]];
  return values.flatMap((value) =>
    orders(values.filter((other) => other !== value)).map((rest) => [value, ...rest]),
  );
}

function guests(world: World, needs: Needs): Map<string, WorldGuest> {
  return new Map(Object.keys(needs).map((name) => [name, world.guest(name, [`x.${name}`])]));
}

const services = (names: readonly string[] = []): string[] => names.map((name) => `x.${name}`);

async function startAll(world: World, needs: Needs, order: readonly string[]): Promise<void> {
  const all = guests(world, needs);
  await Promise.all(order.map(async (name) => all.get(name)?.start(...services(needs[name]))));
}

describe("guests are launched in topological order, whatever the order of their starts", () => {
  const graphs: Record<string, Needs> = {
    chain: { a: ["b"], b: ["c"], c: ["d"], d: [] },
    diamond: { a: ["b", "c"], b: ["d"], c: ["d"], d: [] },
    "complete graph": { a: ["b", "c", "d"], b: ["c", "d"], c: ["d"], d: [] },
  };
  for (const [shape, needs] of Object.entries(graphs)) {
    test.each(orders(Object.keys(needs)).map((order) => [order.join(" ")]))(
      `a ${shape} started as %s`,
      async (order) => {
        await using world = new World();
        await startAll(world, needs, order.split(" "));
        expect(world.launched).toHaveLength(4);
        for (const [name, required] of Object.entries(needs)) {
          for (const before of required) {
            expect(world.launched.indexOf(`${before}1`)).toBeLessThan(
              world.launched.indexOf(`${name}1`),
            );
          }
        }
        expect(world.clock.pending).toBe(0);
      },
    );
  }

  test("those that become ready together are launched in the order in which they asked", async () => {
    const world = new World();
    const provider = world.guest("p", ["x.p"]);
    const starts = ["c", "a", "b"].map((name) => world.guest(name).start("x.p"));
    await settled();
    await provider.start();
    await Promise.all(starts);
    expect(world.launched).toEqual(["p1", "c1", "a1", "b1"]);
  });

  test("a chain of 300 guests, the last one first", async () => {
    const world = new World();
    const all = Array.from({ length: 300 }, (_, i) => world.guest(`g${i}`, [`x.S${i}`]));
    const starts = all.map((guest, i) => guest.start(...(i < 299 ? [`x.S${i + 1}`] : [])));
    await Promise.all(starts);
    expect(world.launched[0]).toBe("g2991");
    expect(world.launched.at(-1)).toBe("g01");
  });
});

describe("Launch", () => {
  test("answers at once where everything required runs; a backend's service does", () => {
    const world = new World();
    void world.guest("a").start(KERNEL);
    return expect.poll(() => world.launched).toEqual(["a1"]);
  });

  test("waits for one instance of a pool, not for all", async () => {
    const world = new World();
    const first = world.guest("pool", ["x.S"], 1);
    world.guest("pool", ["x.S"], 2);
    const start = world.guest("a").start("x.S");
    await first.start();
    await start;
    expect(world.launched).toEqual(["pool1", "a1"]);
  });

  test("waits for any of several guests that may export the service", async () => {
    const world = new World();
    const [first, second] = [world.guest("b", ["x.S"]), world.guest("c", ["x.S"])];
    const start = world.guest("a").start("x.S");
    await settled();
    first.end();
    await second.start();
    await start;
    expect(world.launched).toEqual(["c1", "a1"]);
  });

  test("of a guest that was launched is OK; a second one while the first waits is FAILED_PRECONDITION", async () => {
    const world = new World();
    const [a, b] = [world.guest("a"), world.guest("b", ["x.S"])];
    const start = a.start("x.S");
    await settled();
    expect((await failure(a.client.launch({}))).message).toBe(
      "[failed_precondition] a is launching already: wait for the first Launch",
    );
    await b.start();
    await start;
    await a.client.launch({});
    expect(world.launched).toEqual(["b1", "a1"]);
  });

  test("waits while the guest that serves is being started again after a crash", async () => {
    const world = new World();
    const facade = world.guest("facade", ["x.S"]);
    const start = world.guest("a").start("x.S");
    await settled();
    world.restarting.set("x.S", "facade");
    facade.end();
    world.restarting.clear();
    await world.guest("facade", ["x.S"], 2).start();
    await start;
    expect(world.launched).toEqual(["facade2", "a1"]);
  });
});

describe("a Launch that waits ends", () => {
  test("at the startup deadline with DEADLINE_EXCEEDED, and who waits for whom", async () => {
    const world = new World();
    world.guest("d", ["x.d"]);
    const c = world.guest("c", ["x.c"]);
    await c.client.register({});
    const b = world.guest("b", ["x.b"]).start("x.c", "x.d");
    const [a, late] = [failure(world.guest("a").start("x.b")), failure(b)];
    await settled();
    world.clock.advance(1000);
    expect((await a).message).toBe(
      "[deadline_exceeded] a could not start within 1000 ms: a waits for x.b of b; b waits for x.c of c and x.d of d; c has not called Launch; d has not called Register",
    );
    expect((await late).message).toBe(
      "[deadline_exceeded] b could not start within 1000 ms: b waits for x.c of c and x.d of d; c has not called Launch; d has not called Register; a waits for x.b of b",
    );
    expect(world.clock.pending).toBe(0);
    // Nothing of it is left: the change that they waited for launches nobody.
    await c.start();
    expect(world.launched).toEqual(["c1"]);
  });

  test("a millisecond before its own deadline, if that is nearer, so that the answer is the diagnosis", async () => {
    const world = new World();
    world.guest("b", ["x.S"]);
    const a = world.guest("a");
    await a.client.register({});
    await a.client.require({ services: ["x.S"] });
    const launch = failure(a.client.launch({}, { timeoutMs: 200 }));
    await settled();
    world.clock.advance(199);
    expect((await launch).rawMessage).toBe(
      "a could not start within 199 ms: a waits for x.S of b; b has not called Register",
    );
  });

  test("with a diagnosis of a bounded length, however many guests wait", async () => {
    const world = new World();
    const long = (i: number): string => `x.${"S".repeat(200)}${i}`;
    const names = Array.from({ length: 200 }, (_, i) => long(i));
    for (let i = 0; i < 200; i++) world.guest(`g${i}`, [long(i)]);
    const a = failure(world.guest("a").start(...names));
    await settled();
    world.clock.advance(1000);
    const { rawMessage } = await a;
    expect(rawMessage).toContain("and 196 more; g0 has not called Register;");
    expect(rawMessage).toMatch(/; and 169 more$/);
    expect(rawMessage.length).toBeLessThan(4_000);
  });

  test("when its caller gives it up, and when the guest is gone", async () => {
    const world = new World();
    world.guest("b", ["x.S"]);
    const a = world.guest("a");
    await a.client.register({});
    await a.client.require({ services: ["x.S"] });
    const controller = new AbortController();
    const launch = failure(a.client.launch({}, { signal: controller.signal }));
    await settled();
    controller.abort();
    expect((await launch).code).toBe(Code.Canceled);
    expect(world.clock.pending).toBe(0);
    const again = failure(a.client.launch({}));
    await settled();
    a.end();
    expect((await again).message).toBe("[aborted] a has exited");
  });

  test("with UNAVAILABLE when the host ends", async () => {
    const world = new World();
    world.guest("b", ["x.S"]);
    const launch = failure(world.guest("a").start("x.S"));
    await settled();
    await world[Symbol.asyncDispose]();
    expect((await launch).message).toBe("[unavailable] the host ends: a cannot start");
  });

  test("with the host's own words if it refuses the launch", async () => {
    const world = new World();
    const [a, b] = [world.guest("a"), world.guest("b", ["x.S"])];
    a.launch = () => {
      throw new ConnectError("the host is full", Code.ResourceExhausted);
    };
    const launch = failure(a.start("x.S"));
    await b.start();
    expect((await launch).message).toBe("[resource_exhausted] the host is full");
    expect(b.state).toBe("running");
  });
});
