import { ManualClock } from "@dropthrough/dispatch/testing";
import { KernelService } from "@dropthrough/kernel";
import { describe, expect, test } from "vitest";
import { encode, KernelGuest, payload, REPLY_WORD } from "./kernel-guest.ts";
import { ask, ECHO, failure, KernelHost, settled } from "./kernel-host.ts";

const KERNEL = KernelService.typeName;

describe("a failed launch that the guest ignores never ends with 0, and serves nobody", () => {
  const failing = (g: KernelGuest): string => `
    ${g.kernel(KernelService.method.register)}
    ${g.kernel(KernelService.method.export, { services: ["x.a"] })}
    ${g.kernel(KernelService.method.require, { services: ["x.nobody"] })}
    (if (i32.ge_s (call $finish ${g.call(`${KERNEL}/Launch`)}) (i32.const 0)) (then unreachable))`;
  const why =
    "its launch had failed: a requires x.nobody, and nobody exports it: add a backend or a guest that serves it";

  test.each([
    ["a command that returns", (g: KernelGuest) => ({ start: failing(g) }), 252, why],
    [
      "a command that exits with 0",
      (g: KernelGuest) => ({ start: failing(g) + g.exit(0, "ok") }),
      252,
      why,
    ],
    [
      "a command that exits below 0",
      (g: KernelGuest) => ({ start: failing(g) + g.exit(-1) }),
      252,
      why,
    ],
    [
      "a reactor that stays",
      (g: KernelGuest) => ({ initialize: failing(g), serve: "nop" }),
      252,
      why,
    ],
    [
      "one that exits with its own code keeps that",
      (g: KernelGuest) => ({ start: failing(g) + g.exit(3, "no") }),
      3,
      "no",
    ],
  ])("%s", async (_, parts, code, reason) => {
    const g = new KernelGuest();
    await using it = new KernelHost([{ name: "a", module: g.guest(parts(g)), exports: ["x.a"] }]);
    await it.host.start();
    expect(await it.host.exited).toMatchObject({ code, reason });
  });

  test("but one that launches after all ends as it likes", async () => {
    const g = new KernelGuest();
    const { launch, register } = KernelService.method;
    const module = g.guest({
      start: `(if (i32.ge_s ${g.call(`${KERNEL}/Launch`)} (i32.const 0)) (then unreachable))
        ${g.kernel(register)} ${g.kernel(launch)}`,
    });
    await using it = new KernelHost([{ name: "a", module }]);
    await it.host.start();
    expect(await it.host.exited).toMatchObject({ code: 0 });
  });
});

describe("those who require a guest that has exited", () => {
  test("get UNAVAILABLE with its reason: from calls, from Locate, from Launch", async () => {
    const clock = new ManualClock();
    const g = new KernelGuest();
    const exits = g.guest({
      initialize: g.launch({ exports: ["x.b"] }),
      serve: g.exit(3, "the disk is full"),
    });
    const asks = new KernelGuest();
    const locate = encode(KernelService.method.locate, { service: "x.b" });
    const client = asks.guest({
      initialize: asks.launch({ exports: ["x.a"], requires: ["x.b"] }),
      serve: `(local.set $w (call $finish ${asks.call("x.b/Echo")}))
        (if (i32.eq (local.get $len) (i32.const 6)) (then (local.set $w ${asks.call(`${KERNEL}/Locate`, locate)})))
        ${REPLY_WORD}`,
    });
    const late = new KernelGuest();
    const launch = late.guest({
      start: `${late.must(ECHO, payload("", 100))}
        ${late.kernel(KernelService.method.register)}
        ${late.kernel(KernelService.method.require, { services: ["x.b"] })}
        (local.set $w (call $finish ${late.call(`${KERNEL}/Launch`)}))
        (if (i32.ne (call $code (local.get $w)) (i32.const 14)) (then unreachable))`,
    });
    await using it = new KernelHost(
      [
        { name: "b", module: exits, exports: ["x.b"] },
        { name: "a", module: client, exports: ["x.a"] },
        { name: "late", module: launch },
      ],
      { clock },
    );
    await it.host.start();
    expect(await failure(ask(it.client("x.a"), ""))).toBe(
      "[unavailable] b has exited: the disk is full",
    );
    expect(await failure(ask(it.client("x.a"), ""))).toBe(
      "[unavailable] nobody exports x.b any more: b exited with code 3 (the disk is full)",
    );
    expect(await failure(ask(it.client("x.a"), "ask!"))).toBe(
      "[unavailable] x.b was served by b, which exited with code 3 (the disk is full)",
    );
    clock.advance(100);
    await settled();
    expect(it.exits.at(-1)).toMatchObject({
      guest: "late",
      code: 252,
      reason:
        "its launch had failed: late requires x.b of b, which exited with code 3 (the disk is full): start it again, or look at why it ended",
    });
  });
});
