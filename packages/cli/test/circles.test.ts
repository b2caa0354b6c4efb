import { callerOf, defineBackend } from "@dropthrough/dispatch";
import { ManualClock } from "@dropthrough/dispatch/testing";
import { describe, expect, test } from "vitest";
import { ECHO_BACK, KernelGuest, payload, renamed, REPLY_WORD } from "./kernel-guest.ts";
import { ask, ECHO, failure, KernelHost, settled } from "./kernel-host.ts";

const NAMES = ["a", "b", "c", "d", "e"];

/**
 * The kernel refuses requirements in a circle, so calls can run in one only where a backend lets guests require what they
 * like, as this one does; or where a guest calls itself.
 */
const lenient = defineBackend({
  name: "lenient",
  service: renamed("x.e.Lenient"),
  impl: {
    echo: ({ payload: service }, context) => {
      callerOf(context).guest?.require(Buffer.from(service).toString());
      return {};
    },
  },
});

type Kind = "serves" | "receives";

/** A guest that answers each call by asking the next one, after some time. */
function link(name: string, next: string, kind: Kind, delayMs: number): Uint8Array<ArrayBuffer> {
  const g = new KernelGuest();
  const launch = `${g.launch({ exports: [`x.${name}`] })} ${g.must("x.e.Lenient/Echo", payload(`x.${next}`))}`;
  const serve = `
    ${g.must(ECHO, payload("", delayMs))}
    (drop (call $read (local.get $call) (i32.const 0) (i32.const 4096) (local.get $len)))
    (local.set $w (call $finish (call $start (call $bound ${g.data(`x.${next}/Echo`)}) (i32.const 4096) (local.get $len) (i32.const 0))))
    ${REPLY_WORD}`;
  return kind === "serves"
    ? g.guest({ initialize: launch, serve })
    : g.guest({ start: `${launch} ${g.loop({ incoming: serve })}` });
}

/** Guests that ask one another in a circle. */
function ring(count: number, kind: Kind, delayMs: number, clock: ManualClock): KernelHost {
  const names = NAMES.slice(0, count);
  return new KernelHost(
    names.map((name, i) => ({
      name,
      module: link(name, names[(i + 1) % count] ?? "", kind, delayMs),
      exports: [`x.${name}`],
      grants: [
        "x.e.Lenient/*",
        "dropthrough.testing.v1.EchoService/*",
        ...names.map((n) => `x.${n}/*`),
      ],
    })),
    { clock, backends: [lenient] },
  );
}

/** Lets as much time pass as the calls of a ring take, and no more. */
async function pass(clock: ManualClock, times: number, ms: number): Promise<void> {
  for (let i = 0; i < times; i++) {
    await settled();
    clock.advance(ms);
  }
  await settled();
}

const counts = [1, 2, 3, 5];
const kinds: readonly Kind[] = ["serves", "receives"];
const cases = kinds.flatMap((kind) => counts.map((count) => [kind, count] as const));

describe("a circle of calls is FAILED_PRECONDITION with its path, and nobody waits for a deadline", () => {
  test.each(cases)("where each guest %s, %d long, at once and over waits", async (kind, count) => {
    for (const delayMs of [0, 5]) {
      const clock = new ManualClock();
      await using it = ring(count, kind, delayMs, clock);
      await it.host.start();
      await settled();
      const call = failure(ask(it.client("x.a"), "round"));
      await pass(clock, count, delayMs);
      // A guest that receives need not wait for its call, so its own circle closes when it does: there the host has no part.
      const first = kind === "receives" && count === 1 ? [] : ["host"];
      const path = [...first, ...NAMES.slice(0, count), "a"].join(" → ");
      expect(await call).toBe(
        `[failed_precondition] a would have to answer itself: ${path}; give it more instances or break the circle`,
      );
      expect(clock.now()).toBe(count * delayMs);
      expect(it.exits).toEqual([]);
    }
  });

  test.each(cases.filter(([, count]) => count > 1))(
    "where each guest %s, %d long, that closes only when all of them wait in one another's queues",
    async (kind, count) => {
      const clock = new ManualClock();
      await using it = ring(count, kind, 5, clock);
      await it.host.start();
      await settled();
      const names = NAMES.slice(0, count);
      // Nobody of them is there on behalf of another: the host calls each.
      const all = names.map(async (name) => failure(ask(it.client(`x.${name}`), "round")));
      await pass(clock, 4 * count, 5);
      const failures = await Promise.all(all);
      for (const text of failures) {
        expect(text).toMatch(
          /^\[failed_precondition\] (\w) would have to answer itself: .*\w → \1; give it more instances or break the circle$/,
        );
      }
      const inQueues = failures.filter((text) => !text.includes("host"));
      expect(inQueues.length).toBeGreaterThan(0);
      for (const text of inQueues) expect(text.match(/ → /g)).toHaveLength(count);
      expect(clock.now()).toBe(20 * count);
      expect(it.exits).toEqual([]);
    },
  );

  test("of guests that have one instance more is none until they are all taken", async () => {
    const clock = new ManualClock();
    await using it = new KernelHost(
      [
        {
          name: "a",
          module: link("a", "a", "serves", 0),
          exports: ["x.a"],
          instances: 3,
          grants: ["x.e.Lenient/*", "dropthrough.testing.v1.EchoService/*", "x.a/*"],
        },
      ],
      { clock, backends: [lenient] },
    );
    await it.host.start();
    expect(await failure(ask(it.client("x.a"), ""))).toContain(": host → a → a → a → a; give");
  });
});

describe("a guest that receives while its call is under way", () => {
  /** It asks x.b for a first call, and goes on receiving; a call that comes meanwhile it answers at once. */
  function open(): Uint8Array<ArrayBuffer> {
    const g = new KernelGuest();
    return g.guest({
      start: `${g.must("x.e.Lenient/Echo", payload("x.b"))} ${g.launch({ exports: ["x.a"] })} ${g.loop(
        {
          incoming: `
          (if (i32.eqz (local.get $out))
            (then
              (i32.store (i32.const 57344) (local.get $call))
              (local.set $out (call $number ${g.call("x.b/Echo", payload("inner"))})))
            (else ${ECHO_BACK}))`,
          finished: `
          (local.set $w (call $wait (local.get $call) (i32.const 8192) (i32.const 4096)))
          (local.set $call (i32.load (i32.const 57344))) ${REPLY_WORD} (local.set $out (i32.const 0))`,
        },
      )}`,
    });
  }

  test("can be called back, A → B → A: the ancestor's blocking calls could not, and its timers were all that ended them", async () => {
    const clock = new ManualClock();
    const grants = ["x.e.Lenient/*", "dropthrough.testing.v1.EchoService/*", "x.a/*", "x.b/*"];
    await using it = new KernelHost(
      [
        { name: "a", module: open(), exports: ["x.a"], grants },
        { name: "b", module: link("b", "a", "serves", 0), exports: ["x.b"], grants },
      ],
      { clock, backends: [lenient] },
    );
    await it.host.start();
    await settled();
    for (let i = 0; i < 3; i++) expect(await ask(it.client("x.a"), "outer")).toBe("inner");
    expect(clock.now()).toBe(0);
  });
});
