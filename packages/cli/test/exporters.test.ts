import { KernelService } from "@dropthrough/kernel";
import { describe, expect, test } from "vitest";
import { ECHO_BACK, KernelGuest, payload, REPLY_WORD } from "./kernel-guest.ts";
import { ask, ECHO, failure, KernelHost } from "./kernel-host.ts";

const { register, export: exports_, require: requires_, launch, atExit } = KernelService.method;

/** Text of a guest that reads its request, calls `target` with it, and replies what it was answered. */
const passOn = (g: KernelGuest, target: string): string => `
  (drop (call $read (local.get $call) (i32.const 0) (i32.const 4096) (local.get $len)))
  (local.set $w (call $finish (call $start (call $bound ${g.data(target)}) (i32.const 4096) (local.get $len) (i32.const 0))))
  ${REPLY_WORD}`;

describe("a guest that exports what another one exports too", () => {
  test("does not reach the other one through it without a grant", async () => {
    const b = new KernelGuest();
    const e = new KernelGuest();
    await using it = new KernelHost([
      {
        name: "b",
        module: b.guest({ initialize: b.launch({ exports: ["x.s"] }), serve: ECHO_BACK }),
        exports: ["x.s"],
      },
      {
        name: "e",
        module: e.guest({
          initialize: e.launch({ exports: ["x.s", "x.e"] }),
          serve: passOn(e, "x.s/Echo"),
        }),
        exports: ["x.s", "x.e"],
        grants: [],
      },
    ]);
    await it.host.start();
    expect(await failure(ask(it.client("x.e"), "secret"))).toBe(
      "[permission_denied] e serves x.s/Echo and was not granted to call it: add it to the grants of e",
    );
  });
});

describe("calls that wait for a guest that crashed", () => {
  test("are served by its next instance, also where that has to wait itself before its launch", async () => {
    const b = new KernelGuest();
    const a = new KernelGuest();
    await using it = new KernelHost([
      {
        name: "b",
        module: b.guest({
          initialize: b.launch({ exports: ["x.b"] }),
          serve: `${b.must(ECHO, payload("", 100))} ${ECHO_BACK}`,
        }),
        exports: ["x.b"],
      },
      {
        name: "a",
        // It traps on a text of more than four letters, after it has waited; and calls b before each launch.
        module: a.guest({
          initialize: `${a.kernel(register)} ${a.kernel(exports_, { services: ["x.a"] })}
            ${a.kernel(requires_, { services: ["x.b"] })} (drop (call $bound ${a.data("x.a/Echo")}))
            (drop (call $ok ${a.call("x.b/Echo", payload("warm"))})) ${a.kernel(launch)}`,
          serve: `(drop (call $read (local.get $call) (i32.const 0) (i32.const 4096) (local.get $len)))
            ${a.must(ECHO, payload("", 50))}
            (if (i32.gt_u (local.get $len) (i32.const 6)) (then unreachable)) ${ECHO_BACK}`,
        }),
        exports: ["x.a"],
      },
    ]);
    await it.host.start();
    const client = it.client("x.a");
    const trapped = failure(ask(client, "this one traps it"));
    const queued = ask(client, "q");
    expect(await trapped).toContain("[aborted]");
    expect(await queued).toBe("q");
  });
});

describe("a replacement that is refused after some of its instances ran", () => {
  test("has taken no call: the old version answers all of them", async () => {
    const old = new KernelGuest();
    const next = new KernelGuest();
    await using it = new KernelHost([
      {
        name: "a",
        module: old.guest({
          initialize: old.launch({ exports: ["x.a"] }),
          serve: `${old.must(ECHO, payload("", 50))} ${ECHO_BACK}`,
        }),
        exports: ["x.a"],
        instances: 2,
      },
    ]);
    await it.host.start();
    // Register answers 0a 01 'a' 10 and the number of the instance: the fourth is slow, and traps.
    const module = next.guest({
      initialize: `${next.kernel(register)} (local.set $k (i32.load8_u (i32.const 8196)))
        ${next.kernel(exports_, { services: ["x.a"] })} (drop (call $bound ${next.data("x.a/Echo")}))
        (if (i32.eq (local.get $k) (i32.const 4)) (then ${next.must(ECHO, payload("", 100))} unreachable))
        ${next.kernel(launch)}`,
      serve: `${next.must(ECHO, payload("", 300))} ${ECHO_BACK}`,
    });
    const refused = failure(it.host.replace("a", { module }));
    await new Promise((resolve) => setTimeout(resolve, 30));
    const client = it.client("x.a");
    const texts = ["1", "2", "3", "4"];
    expect(await Promise.all(texts.map(async (text) => ask(client, text)))).toEqual(texts);
    expect(await refused).toContain("was not replaced");
  });
});

describe("a guest that has filled its table of calls before its end", () => {
  test.each(["idle", "busy"])(
    "is ended without its last call, %s: the host lives on",
    async (when) => {
      const g = new KernelGuest();
      // Calls of a method that was never bound, which it never releases.
      const module = g.guest({
        initialize: `${g.launch({ exports: ["x.a"] })} ${g.kernel(atExit)}`,
        serve: `${g.must(ECHO, payload("", 30))}
        (drop (call $reply (local.get $call) (i32.const 0) (i32.const 0) (i32.const 0)))
        (block $full (loop $more (br_if $full (i32.gt_u (local.get $k) (i32.const 3000)))
          (drop (call $call (i32.const 999) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)))
          (local.set $k (i32.add (local.get $k) (i32.const 1))) (br $more)))`,
      });
      await using it = new KernelHost([{ name: "a", module, exports: ["x.a"], instances: 2 }]);
      await it.host.start();
      const client = it.client("x.a");
      const calls = Promise.all([ask(client, ""), ask(client, "")]);
      if (when === "idle") await calls;
      await it.host.shutdown({ graceMs: 1_000 });
      expect(await calls).toEqual(["", ""]);
      expect(it.exits.map(({ code }) => code)).toEqual([0, 0]);
    },
  );
});
