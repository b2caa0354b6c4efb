import { Code, createClient } from "@connectrpc/connect";
import { createRegistry, createTransport, LocalCaller } from "@dropthrough/dispatch";
import { describe, expect, test } from "vitest";
import { kernel, KernelService, type NowResponse } from "../src/index.ts";
import { failure } from "./failure.ts";
import { World } from "./world.ts";

test("Environment is what the operator granted, and nothing of the host's own", async () => {
  process.env["DROPTHROUGH_TEST_SECRET"] = "x";
  const { variables } = await new World().guest("a").client.environment({});
  expect(variables).toEqual({ TZ: "UTC", EMPTY: "" });
});

describe("Now", () => {
  const seconds = ({ time }: NowResponse): number =>
    Number(time?.seconds) + (time?.nanos ?? 0) / 1e9;

  test("is the machine's time, and monotonic nanoseconds that never go back", async () => {
    await using registry = createRegistry();
    registry.use(kernel());
    const { clock } = registry;
    registry.attach({
      clock,
      guests: () => [],
      services: () => registry.services(),
      watch: (changed) => registry.watch(changed),
    });
    const client = createClient(
      KernelService,
      createTransport(registry.connect(new LocalCaller("host"))),
    );
    const before = Date.now() / 1000;
    const answers: NowResponse[] = [];
    for (let i = 0; i < 100; i++) answers.push(await client.now({}));
    const times = answers.map(seconds);
    expect(Math.min(...times)).toBeGreaterThanOrEqual(before - 0.001);
    expect(Math.max(...times)).toBeLessThanOrEqual(Date.now() / 1000 + 0.001);
    const monotonic = answers.map((a) => Number(a.monotonicNs));
    expect(monotonic).toEqual(monotonic.toSorted((a, b) => a - b));
    expect(monotonic.at(-1)).toBeGreaterThan(monotonic[0] ?? Infinity);
  });

  test("stands still and moves on with the host's clock, from 1970", async () => {
    const world = new World();
    const { client } = world.guest("a");
    world.clock.advance(86_400_000.25);
    for (let i = 0; i < 2; i++) {
      expect(await client.now({})).toMatchObject({
        time: { seconds: 86_400n, nanos: 250_000 },
        monotonicNs: 86_400_000_250_000n,
      });
    }
  });

  test.each([
    [1_700_000_000_123.5, 1_700_000_000n, 123_500_000],
    [-1, -1n, 999_000_000],
    [999.999_999_9, 1n, 0],
  ])("takes the wall clock of its options: %d ms", async (wallMs, whole, nanos) => {
    const world = new World({ wallClock: () => wallMs });
    expect(await world.guest("a").client.now({})).toMatchObject({
      time: { seconds: whole, nanos },
      monotonicNs: 0n,
    });
  });
});

describe("Random", () => {
  test("answers as many bytes as asked for, others each time", async () => {
    const { client } = new World().guest("a");
    const [one, other] = [await client.random({ length: 32 }), await client.random({ length: 32 })];
    expect([one.random.length, other.random.length]).toEqual([32, 32]);
    expect(Buffer.from(one.random).equals(other.random)).toBe(false);
    expect((await client.random({})).random).toHaveLength(0);
    const { random } = await client.random({ length: 65_536 });
    expect(new Set(random).size).toBe(256);
  });

  test("above 65,536 bytes is RESOURCE_EXHAUSTED, and its source is not asked", async () => {
    let asked = 0;
    const random = (length: number): Uint8Array => (asked++, new Uint8Array(length));
    const { client } = new World({ random }).guest("a");
    for (const length of [65_537, 2 ** 32 - 1]) {
      const error = await failure(client.random({ length }));
      expect(error.code).toBe(Code.ResourceExhausted);
      expect(error.rawMessage).toBe(
        `${length} random bytes are above the limit of 65536: ask for less at a time`,
      );
    }
    expect(asked).toBe(0);
  });

  test("takes the source of its options, so that tests are the same each time", async () => {
    const random = (length: number): Uint8Array => new Uint8Array(length).fill(7);
    const { client } = new World({ random }).guest("a");
    expect([...(await client.random({ length: 3 })).random]).toEqual([7, 7, 7]);
  });

  test("of a source that gives another length is INTERNAL, never fewer bytes", async () => {
    const { client } = new World({ random: () => new Uint8Array(1) }, () => {}).guest("a");
    expect((await failure(client.random({ length: 2 }))).code).toBe(Code.Internal);
  });
});
