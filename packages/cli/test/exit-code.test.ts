import { afterAll, describe, expect, test } from "vitest";
import { DeploymentFolder, untimed } from "./deployment-folder.ts";
import { caller, ECHO_GRANTS, echoRequest, exits, idle, ignorant } from "./guests.ts";
import { wat } from "@dropthrough/guest-text";

const folder = new DeploymentFolder();
afterAll(() => folder[Symbol.dispose]());

const MEMORY = `(memory (export "memory") 1)`;

describe("dropthrough run", () => {
  test("ends with 253 and a line when the main guest traps", async () => {
    const module = folder.guest(
      "trap",
      wat(`(module ${MEMORY} (func (export "_start") unreachable))`),
    );
    const { code, stderr } = await folder.dropthrough([
      "run",
      folder.config("trap", [{ name: "a", module }]),
    ]);
    expect([code, stderr]).toEqual([253, "guest a (instance 1) trapped: unreachable\n"]);
  });

  test("ends with 254 when it panics, and its last words cannot forge a line", async () => {
    const module = folder.guest(
      "panic",
      wat(`(module ${MEMORY} (data (i32.const 16) "no\\0a\\1b[2Jerror: x")
        (global (export "dropthrough_v1_abort_ptr") (mut i32) (i32.const 16))
        (global $len (export "dropthrough_v1_abort_len") (mut i32) (i32.const 0))
        (func (export "_start") (global.set $len (i32.const 15)) unreachable))`),
    );
    const { code, stderr } = await folder.dropthrough([
      "run",
      folder.config("panic", [{ name: "a", module }]),
    ]);
    expect([code, stderr]).toEqual([
      254,
      "guest a (instance 1) panicked: no\\n\\u001b[2Jerror: x\n",
    ]);
  });

  test("ends with 251 when it has no entry", async () => {
    const module = folder.guest("empty", wat(`(module ${MEMORY})`));
    const file = folder.config("empty", [{ name: "a", module }]);
    expect((await folder.dropthrough(["run", file])).code).toBe(251);
  });

  test("ends with 195 when nothing can wake any guest", async () => {
    const module = folder.guest("idle", idle());
    const file = folder.config("idle", [{ name: "a", module }]);
    expect(await folder.dropthrough(["run", file])).toMatchObject({
      code: 195,
      stderr:
        "every guest waits, and nothing is left that could wake one: mark a main guest that ends, or give its calls a deadline\n",
    });
  });

  test("ends with 196 and a stack at a stray error, not with a guest's 1", async () => {
    const module = folder.guest("waits", caller(echoRequest({ delayMs: 60_000 })));
    const file = folder.config("stray", [{ name: "a", module, grants: ECHO_GRANTS }], {
      head: "setTimeout(() => { throw new Error('stray'); }, 1);",
    });
    const { code, stderr } = await folder.dropthrough(["run", file]);
    expect(stderr).toMatch(/^dropthrough: a bug of .*\nError: stray\n {4}at /);
    expect(code).toBe(196);
  });

  test.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("ends with its code at %s, while a guest waits", async (name, expected) => {
    const module = folder.guest("waits", caller(echoRequest({ delayMs: 60_000 })));
    const file = folder.config("waits", [{ name: "a", module, grants: ECHO_GRANTS }], {
      limits: { exitGraceMs: 50 },
    });
    const signal = { after: /==>/, name };
    const { code } = await folder.dropthrough(["run", file, "--trace"], { signal });
    expect(code).toBe(expected);
  });

  test("ends at once at a second signal, though it is another one", async () => {
    const module = folder.guest("waits", caller(echoRequest({ delayMs: 60_000 })));
    const file = folder.config("hurried", [{ name: "a", module, grants: ECHO_GRANTS }], {
      head: `process.on("SIGINT", () => setTimeout(() => console.error("heard"), 1));`,
      limits: { exitGraceMs: 60_000 },
    });
    const signal = [
      { after: /==>/, name: "SIGINT" },
      { after: /heard/, name: "SIGTERM" },
    ] as const;
    const { code } = await folder.dropthrough(["run", file, "--trace"], { signal });
    // It did not end by itself.
    expect(code).toBeNull();
  });

  test("ends with the code of its main guest at a signal while it closes: the run was over", async () => {
    const file = folder.config(
      "closes",
      [{ name: "a", module: folder.guest("exits7", exits(7)) }],
      {
        head: `const slow = { ...echo(), [Symbol.asyncDispose]: () => new Promise((resolve) => {
        process.once("SIGINT", () => setTimeout(resolve, 1));
        console.error("closing");
      }) };`,
        backends: "[slow, kernel()]",
      },
    );
    const signal = { after: /closing/, name: "SIGINT" } as const;
    const { code, stderr } = await folder.dropthrough(["run", file], { signal });
    expect([code, stderr]).toEqual([7, "closing\n"]);
  });

  test("lets a call in flight end at SIGTERM, and closes then", async () => {
    const module = folder.guest("ends", caller(echoRequest({ payload: "hi", delayMs: 500 })));
    const file = folder.config("ends", [{ name: "a", module, grants: ECHO_GRANTS }]);
    const signal = { after: /==>/, name: "SIGTERM" } as const;
    const { code, stderr } = await folder.dropthrough(["run", file, "--trace"], { signal });
    expect(untimed(stderr)).toContain('<== OK {"payload":"hi"} T\n');
    expect(code).toBe(143);
  });

  test.each([0, 7, 100])(
    "ends with the code %d that the main guest exits with: the ancestor's was always 0",
    async (asked) => {
      const module = folder.guest(`exits${asked}`, exits(asked));
      const file = folder.config(`exits${asked}`, [
        { name: "a", module, main: true },
        { name: "b", module: folder.guest("idle", idle()) },
      ]);
      expect(await folder.dropthrough(["run", file])).toMatchObject({ code: asked, stderr: "" });
    },
  );

  test("says why a guest exits with a code, if that gave a reason: nobody else tells the operator", async () => {
    const module = folder.guest("reason", exits(3, "no\n disk"));
    const file = folder.config("reason", [{ name: "a", module }]);
    expect(await folder.dropthrough(["run", file])).toMatchObject({
      code: 3,
      stderr: "guest a (instance 1) ended with 3: no\\n disk\n",
    });
  });

  test("ends with 252 when its launch has failed, though it does not care", async () => {
    const module = folder.guest("ignorant", ignorant());
    const file = folder.config("ignorant", [{ name: "a", module }]);
    expect(await folder.dropthrough(["run", file])).toMatchObject({
      code: 252,
      stderr:
        "guest a (instance 1) did not start: its launch had failed: a requires x.v1.Nobody, and nobody exports it: add a backend or a guest that serves it\n",
    });
  });
});
