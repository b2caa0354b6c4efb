import { ManualClock } from "@dropthrough/dispatch/testing";
import { KernelService } from "@dropthrough/kernel";
import { describe, expect, test } from "vitest";
import { KernelGuest, payload } from "./kernel-guest.ts";
import { ask, ECHO, KernelHost, NOTE, settled } from "./kernel-host.ts";
import { passOn } from "./passing-facade.ts";

const KERNEL = KernelService.typeName;

/** A reactor that asks for a call before its end, in which it does `last`. */
function withHook(last: (g: KernelGuest) => string): Uint8Array<ArrayBuffer> {
  const g = new KernelGuest();
  // The method number that AtExit answers is 0 bytes if it is 0, else 08 and the number.
  return g.guest({
    initialize: `${g.launch({ exports: ["x.a"] })} ${g.kernel(KernelService.method.atExit)}
      (i32.store (i32.const 57344) (i32.load8_u (i32.const 8193)))`,
    serve: `(if (i32.eq (local.get $method) (i32.load (i32.const 57344)))
      (then ${last(g)})
      (else ${passOn(g, ECHO)}))`,
  });
}

describe("AtExit", () => {
  test("calls a guest once before its end, after its calls: the ancestor's handlers had no caller", async () => {
    const clock = new ManualClock();
    // An ExitCall: 08 05, 12 03 "why", 18 e8 07 (1,000 ms).
    const module = withHook(
      (g) => `
        (if (i32.ne (call $read (local.get $call) (i32.const 0) (i32.const 4096) (local.get $len)) (i32.const 10)) (then unreachable))
        (if (i32.ne (i32.load (i32.const 4096)) (i32.const 0x03120508)) (then unreachable))
        (if (i32.ne (i32.load (i32.const 4100)) (i32.const 0x18796877)) (then unreachable))
        ${g.must(NOTE, payload("begins"))} ${g.must(ECHO, payload("", 100))} ${g.must(NOTE, payload("ends"))}
        (drop (call $reply (local.get $call) (i32.const 0) (i32.const 0) (i32.const 0)))`,
    );
    await using it = new KernelHost([{ name: "a", module, exports: ["x.a"] }], { clock });
    await it.host.start();
    const call = ask(it.client("x.a"), "in flight", { delayMs: 30 });
    await settled();
    const exits = it.host.exit("a", { code: 5, reason: "why" });
    await settled();
    expect(it.notes).toEqual([]);
    clock.advance(30);
    expect(await call).toBe("in flight");
    await settled();
    expect(it.notes).toEqual(["a: begins"]);
    clock.advance(100);
    expect(await exits).toMatchObject([{ code: 5, reason: "why" }]);
    expect(it.notes).toEqual(["a: begins", "a: ends"]);
    expect(clock.pending).toBe(0);
  });

  test("is bounded: a clean-up that does not end is ended after limits.exitHooksMs", async () => {
    const clock = new ManualClock();
    const module = withHook(
      (g) =>
        `${g.must(NOTE, payload("begins"))} ${g.must(ECHO, payload("", 60_000))} ${g.must(NOTE, payload("ends"))}`,
    );
    await using it = new KernelHost([{ name: "a", module, exports: ["x.a"] }], {
      clock,
      limits: { exitHooksMs: 80 },
    });
    await it.host.start();
    const exits = it.host.exit("a");
    await settled();
    clock.advance(79);
    await settled();
    expect([it.notes, it.exits]).toEqual([["a: begins"], []]);
    clock.advance(1);
    expect(await exits).toMatchObject([{ code: 0 }]);
    expect(it.notes).toEqual(["a: begins"]);
  });

  test("may exit with another code, and may trap", async () => {
    for (const [how, code] of [
      ["exit", 9],
      ["trap", 253],
    ] as const) {
      const module = withHook((g) => (how === "exit" ? g.exit(9) : "unreachable"));
      await using it = new KernelHost([{ name: "a", module, exports: ["x.a"] }]);
      await it.host.start();
      expect(await it.host.exit("a")).toMatchObject([{ code }]);
    }
  });

  test("of a module that cannot be called is FAILED_PRECONDITION, of one that has bound too much RESOURCE_EXHAUSTED", async () => {
    const [mute, full] = [new KernelGuest(), new KernelGuest()];
    const refused = (g: KernelGuest, code: number): string =>
      `(if (i32.ne (call $code ${g.call(`${KERNEL}/AtExit`)}) (i32.const ${code})) (then unreachable))`;
    await using it = new KernelHost([
      { name: "mute", module: mute.guest({ start: refused(mute, 9) }) },
      {
        name: "full",
        limits: { bindings: 2 },
        module: full.guest({
          start: `(drop (call $bound ${full.data(ECHO)})) ${refused(full, 8)}`,
          serve: "nop",
        }),
      },
    ]);
    await it.host.start();
    expect(it.exits.map(({ code, reason }) => [code, reason])).toEqual([
      [0, ""],
      [0, ""],
    ]);
  });
});
