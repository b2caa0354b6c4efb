import { afterAll, describe, expect, test } from "vitest";
import { DeploymentFolder } from "./deployment-folder.ts";
import { caller, ECHO, ECHO_GRANTS, FACADE, facadeDescriptors, idle } from "./guests.ts";
import { wat } from "@dropthrough/guest-text";

const folder = new DeploymentFolder();
afterAll(() => folder[Symbol.dispose]());

describe("dropthrough check", () => {
  test("finds nothing wrong where nothing is", async () => {
    const a = folder.guest("a", caller(), { requires: [ECHO, FACADE] });
    const b = folder.guest("b", idle(), { exports: [FACADE], descriptors: facadeDescriptors() });
    const file = folder.config("good", [
      { name: "a", module: a, grants: [...ECHO_GRANTS, `${FACADE}/Relay`] },
      { name: "b", module: b, exports: [FACADE] },
    ]);
    expect(await folder.dropthrough(["check", file])).toEqual({
      code: 0,
      stdout: "0 errors, 0 warnings\n",
      stderr: "",
    });
  });

  test("says some of what is wrong with a manifest that names thousands, and how many", async () => {
    const many = (prefix: string): string[] => [
      `${prefix}.${"x".repeat(100_000)}`,
      ...Array.from({ length: 5_000 }, (_, i) => `${prefix}.S${i}`),
    ];
    const module = folder.guest("flood", idle(), { exports: many("a"), requires: many("b") });
    const { stdout, code } = await folder.dropthrough([
      "check",
      folder.config("flood", [{ name: "flood", module, exports: ["a.S0"] }]),
    ]);
    const lines = stdout.trimEnd().split("\n");
    expect(lines).toContain(
      'error: guest "flood" exports 5001 services, more than the 256 that it may: the rest is left out',
    );
    expect(lines).toContain(
      'error: guest "flood" requires 5001 services, more than the 256 that it may: the rest is left out',
    );
    // One that it may not export less, and two for each that it requires: nobody serves it, and it was not granted.
    expect(lines).toHaveLength(2 + 255 + 2 * 256 + 1);
    expect(lines.at(-1)).toBe("769 errors, 0 warnings");
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(700);
    expect(code).toBe(1);
  });

  test("finds all that can be known without running", async () => {
    folder.guest("requires", caller(), {
      requires: ["x.v1.Nobody", ECHO, "x.v1.Hidden", `${FACADE}s`],
    });
    const mute = wat('(module (memory (export "memory") 1) (func (export "_start")))');
    folder.guest("mute", mute, { requires: ["x.v1.Nobody", ECHO, "x.v1.Hidden"] });
    folder.guest("exports", idle(), { exports: [FACADE], descriptors: facadeDescriptors() });
    folder.guest("hides", idle(), { exports: ["x.v1.Hidden"] });
    folder.guest("circle1", idle(), { exports: ["x.One"], requires: ["x.Two"] });
    folder.guest("circle2", idle(), { exports: ["x.Two"], requires: ["x.One"] });
    folder.guest(
      "v2",
      wat(`(module (import "dropthrough_v2" "call" (func)) (memory (export "memory") 1))`),
    );
    folder.guest("empty", wat(`(module (memory (export "memory") 1))`));
    folder.guest("big", wat(`(module (memory (export "memory") 9) (func (export "_start")))`));
    folder.guest(
      "broken",
      // The last instruction of the body, drop, becomes a second constant.
      wat(`(module (memory (export "memory") 1) (func (export "_start") i32.const 1 drop))`).map(
        (byte, at, all) => (at === all.lastIndexOf(0x1a) ? 0x01 : byte),
      ),
    );
    const unbound = facadeDescriptors();
    unbound.file.shift();
    folder.guest("unbound", idle(), { descriptors: unbound });
    const file = folder.config("wrong", [
      {
        name: "requires",
        module: "requires.wasm",
        main: true,
        grants: ["x.v1.Unserved/*", `${ECHO}/Nope`, "dropthrough.kernel.v1.KernelService/*"],
      },
      { name: "exports", module: "exports.wasm", exports: ["x.v1.Other"], main: true },
      { name: "facade", module: "exports.wasm", exports: [FACADE] },
      { name: "other", module: "exports.wasm", exports: [FACADE], grants: [`${FACADE}/Nope`] },
      { name: "rival", module: folder.guest("plain", idle()), exports: [ECHO] },
      { name: "hides", module: "hides.wasm" },
      {
        name: "mute",
        module: "mute.wasm",
        exports: ["x.v1.Mute"],
        grants: ["x.v1.Nobody/*", ...ECHO_GRANTS, `${ECHO}/Echo`, "x.v1.Hidden/*"],
      },
      { name: "circle1", module: "circle1.wasm", exports: ["x.One"], grants: ["x.Two/*"] },
      { name: "circle2", module: "circle2.wasm", exports: ["x.Two"], grants: ["x.One/*"] },
      { name: "circle2", module: "v2.wasm" },
      { name: "gone", module: "gone.wasm" },
      { name: "huge", module: "/dev/zero" },
      { name: "empty", module: "empty.wasm" },
      { name: "big", module: "big.wasm", limits: { memoryPages: 8 } },
      { name: "broken", module: "broken.wasm" },
      { name: "unbound", module: "unbound.wasm" },
      { name: "unused", module: "exports.wasm", exports: [FACADE], grants: ["x.One/*"] },
      {
        name: "typo",
        module: folder.guest("typo", idle(), { requires: [FACADE] }),
        grants: [`${FACADE}/Relai`, `${FACADE}z/*`],
      },
      { name: "malformed", module: "exports.wasm", grants: ["*"] },
    ]);
    const { code, stdout } = await folder.dropthrough(["check", file]);
    const lines = stdout.trim().split("\n");
    for (const line of [
      'error: guest "circle2": the guest was built for dropthrough_v2, and this host knows dropthrough_v1 only: upgrade the host, or build the guest for dropthrough_v1',
      'error: guest "requires" requires x.v1.Nobody, which it was not granted: add "x.v1.Nobody/*" to its grants',
      'error: guest "requires" requires x.v1.Nobody, and nobody serves it: add a backend or a guest that does',
      'error: guest "requires" requires x.v1.Hidden, and "hides", which has it, may not export it: add it to the exports of "hides"',
      'warning: guest "requires" is granted x.v1.Unserved/*, and nobody serves that: take it out, or add who does',
      `warning: guest "requires" is granted ${ECHO}/Nope, and ${ECHO} has no such method: correct it`,
      'warning: guest "requires" is granted dropthrough.kernel.v1.KernelService/*, and every guest may call the kernel: take it out',
      `error: guest "exports" exports ${FACADE}, which it may not: add it to its exports`,
      'warning: guest "exports" may export x.v1.Other, and does not according to its manifest: take it out of its exports',
      `error: ${ECHO} has two owners, "echo" and "rival": only guests share, so keep one`,
      `error: guest "requires" requires ${FACADE}s, and nobody serves it; did you mean ${FACADE} of "facade"?: add a backend or a guest that does`,
      `warning: guest "other" is granted ${FACADE}/Nope, and ${FACADE} has no such method: correct it`,
      'error: guest "mute" is to export x.v1.Mute, but its module neither exports dropthrough_v1_serve nor imports reply',
      `warning: guest "mute" is granted ${ECHO}/Echo, and ${ECHO}/* as well: take one of them out`,
      'warning: guest "unused" is granted x.One/*, and does not require it according to its manifest: take it out, or let the manifest say so',
      `error: guest "typo" requires ${FACADE}, which it was not granted: add "${FACADE}/*" to its grants`,
      `warning: guest "typo" is granted ${FACADE}/Relai, and ${FACADE} has no such method; did you mean Relay?: correct it`,
      `warning: guest "typo" is granted ${FACADE}z/*, and nobody serves that; did you mean ${FACADE} of "facade"?: take it out, or add who does`,
      "error: circle1 requires circle2 requires circle1: guests cannot wait for one another in a circle",
      'error: two guests are named "circle2": rename one',
      'error: "requires" and "exports" are both main: keep one',
      'error: guest "empty": its module exports neither _start nor _initialize nor dropthrough_v1_serve, so it would end with 251: export one',
      'error: guest "big": the guest starts with 9 pages of memory, above its limit of 8 (64 KiB each): raise memoryPages or build it smaller',
      'error: guest "malformed": "*" is no grant: write package.Service/Method, or package.Service/* for all of its methods',
    ]) {
      expect(lines).toContain(line);
    }
    expect(stdout).toContain('error: guest "gone": its module cannot be read');
    expect(stdout).toContain('error: guest "huge": its module has more than 134217728 bytes');
    expect(stdout).toContain('error: guest "broken": the engine refuses the module: ');
    expect(stdout).toContain('error: guest "unbound": the descriptors in its manifest do not fit');
    expect(lines.at(-1)).toBe(
      `${lines.filter((l) => l.startsWith("error")).length} errors, ${lines.filter((l) => l.startsWith("warning")).length} warnings`,
    );
    expect(code).toBe(1);
  });

  test("finds that guests cannot export without the kernel", async () => {
    const module = folder.guest("served", idle());
    const file = folder.config("kernelless", [{ name: "a", module, exports: [FACADE] }], {
      backends: "[echo()]",
    });
    expect((await folder.dropthrough(["check", file])).stdout).toBe(
      `error: guest "a" is to export ${FACADE}, and guests export through the kernel: add kernel() of @dropthrough/kernel to the backends\n1 errors, 0 warnings\n`,
    );
  });

  test("warns of several commands without a main one, and ends with 0", async () => {
    const module = folder.guest("command", caller());
    const commands = ["a", "b"].map((name) => ({ name, module, grants: ECHO_GRANTS }));
    expect(await folder.dropthrough(["check", folder.config("many", commands)])).toEqual({
      code: 0,
      stdout: `warning: "a" and "b" are commands and none is main, so the exit code is that of whichever ends last: mark one with "main: true"\n0 errors, 1 warnings\n`,
      stderr: "",
    });
  });

  test("finds that there is no guest, and that there is no configuration", async () => {
    expect((await folder.dropthrough(["check", folder.config("none", [])])).stdout).toBe(
      "error: the deployment has no guest: add one\n1 errors, 0 warnings\n",
    );
    expect(await folder.dropthrough(["check", "gone.config.ts"])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("gone.config.ts does not exist") as string,
    });
  });
});
