import { expect, test } from "vitest";
import { ECHO, echoRequest } from "./control.ts";

// An engine without JSPI, such as Node 22: its absence is what the host looks at.
Reflect.deleteProperty(WebAssembly, "Suspending");
Reflect.deleteProperty(WebAssembly, "promising");
const { canSuspend } = await import("../src/index.ts");
const { command, facade, passThrough, say, start } = await import("./deployment.ts");
const { FACADE } = await import("./control.ts");

test("a guest runs as long as its backends answer at once", async () => {
  expect(canSuspend).toBe(false);
  const log: string[] = [];
  const client = command(
    (g) =>
      `${say(g, `require ${FACADE}`)} (drop (call $ok ${g.call(`${FACADE}/Echo`, echoRequest("hi"))})) ${say(g, "done")}`,
  );
  await using host = start(
    [
      { name: "facade", module: facade(passThrough), exports: [FACADE] },
      { name: "client", module: client, main: true },
    ],
    { log },
  );
  await host.start();
  expect(await host.exited).toMatchObject({ code: 0 });
  expect(log).toEqual(["client1 done"]);
});

test("a guest that waits for an asynchronous backend is told UNIMPLEMENTED, what to do, and runs on", async () => {
  const log: string[] = [];
  const client = command(
    (g) => `
      (local.set $w (call $finish ${g.call(ECHO, echoRequest("hi", { delayMs: 5 }))}))
      (if (i32.ne (call $code (local.get $w)) (i32.const 12)) (then unreachable))
      (if (i32.eqz (call $read (i32.and (i32.xor (local.get $w) (i32.const -1)) (i32.const 0xffffff)) (i32.const 0) (i32.const 8192) (i32.const 4096))) (then unreachable))
      ${say(g, "done")}`,
  );
  await using host = start([{ name: "main", module: client }], { log });
  await host.start();
  expect(await host.exited).toMatchObject({ code: 0, reason: "" });
  expect(log).toEqual(["main1 done"]);
});
