import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { ManifestSchema } from "@dropthrough/abi";
import { EchoService } from "@dropthrough/dispatch/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { wat } from "./wat.ts";

const bin = new URL("../src/bin.ts", import.meta.url).pathname;
// Below the package, so that a configuration finds what the package depends on.
let folder: string;
beforeAll(() => {
  mkdirSync(join(import.meta.dirname, "../build"), { recursive: true });
  folder = mkdtempSync(join(import.meta.dirname, "../build/test-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Outcome {
  code: number | null;
  stdout: string;
  stderr: string;
}

async function dropthrough(
  args: string[],
  signal?: { after: RegExp; name: NodeJS.Signals },
): Promise<Outcome> {
  const child = spawn(process.execPath, [bin, ...args], { cwd: folder });
  const outcome: Outcome = { code: null, stdout: "", stderr: "" };
  child.stdout.on("data", (chunk: Buffer) => (outcome.stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => {
    outcome.stderr += chunk.toString();
    // Once: the second signal ends a process that is slow to close, as a user would expect.
    if (!child.killed && signal?.after.test(outcome.stderr)) child.kill(signal.name);
  });
  outcome.code = await new Promise((resolve) => child.on("close", resolve));
  return outcome;
}

const IMPORTS = `
  (import "dropthrough_v1" "bind" (func $bind (param i32 i32) (result i32)))
  (import "dropthrough_v1" "call" (func $call (param i32 i32 i32 i32 i32 i32) (result i32)))
  (import "dropthrough_v1" "wait" (func $wait (param i32 i32 i32) (result i32)))
  (memory (export "memory") 1)`;
const ECHO = "dropthrough.testing.v1.EchoService/Echo";

/** A command that calls Echo with these bytes, and waits if need be. */
function caller(request: string, then = ""): string {
  return `(module ${IMPORTS}
    (data (i32.const 0) "${ECHO}") (data (i32.const 100) "${request}")
    (func (export "_start") (local $w i32)
      (local.set $w (call $call (call $bind (i32.const 0) (i32.const ${ECHO.length})) (i32.const 100) (i32.const ${request.match(/\\..|[^\\]/g)?.length ?? 0}) (i32.const 1000) (i32.const 100) (i32.const 0)))
      (if (i32.lt_s (local.get $w) (i32.const 0)) (then (drop (call $wait (i32.const 1) (i32.const 1000) (i32.const 100)))))
      ${then}))`;
}

/** Writes a module, with a manifest if one is given; answers its file name. */
function guest(
  name: string,
  source: string,
  manifest?: { exports?: string[]; requires?: string[]; descriptors?: boolean },
): string {
  let bytes: Uint8Array = wat(source);
  if (manifest !== undefined) {
    const { exports = [], requires = [], descriptors = false } = manifest;
    const set = create(FileDescriptorSetSchema, {
      file: descriptors ? [EchoService.file.proto] : [],
    });
    const content = toBinary(
      ManifestSchema,
      create(ManifestSchema, { name, version: "1.2.3", exports, requires, descriptors: set }),
    );
    const body = Buffer.concat([
      Buffer.of("dropthrough.v1".length),
      Buffer.from("dropthrough.v1"),
      content,
    ]);
    const size = [(body.length & 127) | 128, (body.length >> 7) & 127];
    bytes = Buffer.concat([bytes, Buffer.of(0, ...size), body]);
  }
  writeFileSync(join(folder, `${name}.wasm`), bytes);
  return `${name}.wasm`;
}

function config(name: string, guests: object[], head = "", backends = "[echo()]"): string {
  const file = `${name}.config.ts`;
  writeFileSync(
    join(folder, file),
    `import { echo } from "@dropthrough/dispatch/testing";
     ${head}
     export default { backends: ${backends}, guests: ${JSON.stringify(guests)} };`,
  );
  return file;
}

const GRANTS = ["dropthrough.testing.v1.EchoService/*"];
const serving = `(module ${IMPORTS} (func (export "_initialize")) (func (export "dropthrough_v1_serve") (param i32 i32 i32)))`;

describe("dropthrough run", () => {
  test("runs a deployment, and traces its calls", async () => {
    const module = guest("ok", caller("\\0a\\02hi"));
    const { code, stderr, stdout } = await dropthrough([
      "run",
      config("ok", [{ name: "a", module, grants: GRANTS }]),
      "--trace",
    ]);
    expect(stderr.replaceAll(/\d+(\.\d+)? (µs|ms)/g, "T")).toBe(
      `==> a ${ECHO} {"payload":"hi"}\n<== OK {"payload":"hi"} T\n`,
    );
    expect(stdout).toBe("");
    expect(code).toBe(0);
  });

  test("shows failures, refused names and shortened bytes in a trace", async () => {
    const module = guest("fails", caller(`\\18\\05\\22\\02no\\0a\\1e${"x".repeat(30)}`));
    const failing = await dropthrough([
      "run",
      config("fails", [{ name: "a", module, grants: GRANTS }]),
      "--trace",
    ]);
    expect(failing.stderr.replaceAll(/\d+(\.\d+)? (µs|ms)/g, "T")).toBe(
      `==> a ${ECHO} {"payload":"${"x".repeat(24)}… 30 bytes","code":5,"message":"no"}\n<== NOT_FOUND "no" T\n`,
    );
    const refused = await dropthrough([
      "run",
      config("refused", [{ name: "a", module }]),
      "--trace",
    ]);
    expect(refused.stderr).toContain(
      `==> a bind "${ECHO}"\n<== PERMISSION_DENIED "a was not granted ${ECHO}: add it to the grants of a"\n`,
    );
  });

  test("ends with 253 and a line when the main guest traps", async () => {
    const module = guest("trap", `(module ${IMPORTS} (func (export "_start") unreachable))`);
    const { code, stderr } = await dropthrough(["run", config("trap", [{ name: "a", module }])]);
    expect([code, stderr]).toEqual([253, "guest a (instance 1) trapped: unreachable\n"]);
  });

  test("ends with 251 when it has no entry", async () => {
    const module = guest("empty", `(module ${IMPORTS})`);
    expect((await dropthrough(["run", config("empty", [{ name: "a", module }])])).code).toBe(251);
  });

  test.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("ends with its code at %s, while a guest waits", async (name, expected) => {
    // delay_ms = 60,000
    const module = guest("waits", caller("\\10\\e0\\d4\\03"));
    const file = config("waits", [{ name: "a", module, grants: GRANTS }]);
    const { code } = await dropthrough(["run", file, "--trace"], { after: /==>/, name });
    expect(code).toBe(expected);
  });

  test.each([
    [
      "a configuration that is not there",
      ["run", "none.config.ts"],
      193,
      "none.config.ts does not exist",
    ],
    ["a folder without one", ["run", tmpdir()], 193, "there is no usable dropthrough.config"],
    ["no command", [], 194, "name a command"],
    ["an unknown command", ["frobnicate"], 194, '"frobnicate" is no command'],
    ["an unknown option", ["run", "--frobnicate"], 194, "frobnicate"],
    ["too many arguments", ["run", "a", "b"], 194, "too many arguments: b"],
  ])("given %s says so in one sentence", async (_, args, expected, message) => {
    const { code, stderr } = await dropthrough(args);
    expect(stderr.split("\n")[0]).toContain(message);
    expect(stderr).not.toContain("    at ");
    expect(code).toBe(expected);
  });

  test("given a guest that cannot be loaded says which", async () => {
    writeFileSync(join(folder, "bad.wasm"), "#!/bin/sh");
    const { code, stderr } = await dropthrough([
      "run",
      config("bad", [{ name: "a", module: "bad.wasm" }]),
    ]);
    expect([code, stderr]).toEqual([
      193,
      'dropthrough: guest "a": this is no WebAssembly module: it does not begin with 00 61 73 6d 01 00 00 00\n',
    ]);
    const missing = await dropthrough([
      "run",
      config("missing", [{ name: "a", module: "none.wasm" }]),
    ]);
    expect(missing.stderr).toContain('guest "a": its module cannot be read');
  });

  test("takes its configuration from data, with backends named by package", async () => {
    const module = guest("data", caller("\\0a\\02hi"));
    writeFileSync(
      join(folder, "data.json"),
      JSON.stringify({ backends: { "@dropthrough/nowhere": {} }, guests: [{ name: "a", module }] }),
    );
    const { code, stderr } = await dropthrough(["run", "data.json"]);
    expect([code, stderr]).toEqual([
      193,
      "dropthrough: the backend @dropthrough/nowhere cannot be loaded: install it beside the configuration (npm install @dropthrough/nowhere)\n",
    ]);
    writeFileSync(join(folder, "typo.yaml"), "guest: []\n");
    expect((await dropthrough(["run", "typo.yaml"])).stderr).toContain(
      '"guest" is unknown; there is backends, guests, limits, interceptors, clock',
    );
    writeFileSync(join(folder, "plain.toml"), `[[guests]]\nname = "a"\nmodule = "${module}"\n`);
    // Without a backend the guest's bind is refused, and its call answers: it ends by itself.
    expect((await dropthrough(["run", "plain.toml"])).code).toBe(0);
  });
});

describe("dropthrough check", () => {
  const FACADE = "x.v1.Facade";

  test("finds nothing wrong where nothing is", async () => {
    const a = guest("a", caller(""), { requires: ["dropthrough.testing.v1.EchoService", FACADE] });
    const b = guest("b", serving, { exports: [FACADE] });
    const file = config("good", [
      { name: "a", module: a, grants: [...GRANTS, `${FACADE}/*`] },
      { name: "b", module: b, exports: [FACADE] },
    ]);
    expect(await dropthrough(["check", file])).toEqual({
      code: 0,
      stdout: "0 errors, 0 warnings\n",
      stderr: "",
    });
  });

  test("finds all that can be known without running", async () => {
    guest("requires", caller(""), {
      requires: ["x.v1.Nobody", "dropthrough.testing.v1.EchoService"],
    });
    guest("exports", serving, { exports: [FACADE] });
    guest("circle1", serving, { exports: ["x.One"], requires: ["x.Two"] });
    guest("circle2", serving, { exports: ["x.Two"], requires: ["x.One"] });
    guest("v2", `(module (import "dropthrough_v2" "call" (func)) (memory (export "memory") 1))`);
    const file = config("wrong", [
      {
        name: "requires",
        module: "requires.wasm",
        main: true,
        grants: ["x.v1.Unserved/*", "dropthrough.testing.v1.EchoService/Nope", "*"].slice(0, 2),
      },
      { name: "exports", module: "exports.wasm", exports: ["x.v1.Other"], main: true },
      {
        name: "mute",
        module: "requires.wasm",
        exports: ["x.v1.Mute"],
        grants: ["x.v1.Nobody/*", ...GRANTS],
      },
      { name: "circle1", module: "circle1.wasm", exports: ["x.One"], grants: ["x.Two/*"] },
      { name: "circle2", module: "circle2.wasm", exports: ["x.Two"], grants: ["x.One/*"] },
      { name: "circle2", module: "v2.wasm" },
      { name: "gone", module: "gone.wasm" },
      { name: "malformed", module: "exports.wasm", grants: ["*"] },
    ]);
    const { code, stdout } = await dropthrough(["check", file]);
    const lines = stdout.trim().split("\n");
    for (const line of [
      'error: guest "circle2": the guest was built for dropthrough_v2, and this host knows dropthrough_v1 only: upgrade the host, or build the guest for dropthrough_v1',
      'error: guest "requires" requires x.v1.Nobody, which it was not granted: add "x.v1.Nobody/*" to its grants',
      'error: guest "requires" requires x.v1.Nobody, and nobody serves it: add a backend or a guest that does',
      'warning: guest "requires" is granted x.v1.Unserved/*, and nobody serves that: take it out, or add who does',
      'warning: guest "requires" is granted dropthrough.testing.v1.EchoService/Nope, and dropthrough.testing.v1.EchoService has no such method: correct it',
      `error: guest "exports" exports ${FACADE}, which it may not: add it to its exports`,
      'warning: guest "exports" may export x.v1.Other, and does not according to its manifest: take it out of its exports',
      'error: guest "mute" is to export x.v1.Mute, but its module exports no dropthrough_v1_serve',
      "error: circle1 requires circle2 requires circle1: guests cannot wait for one another in a circle",
      'error: two guests are named "circle2": rename one',
      'error: "requires" and "exports" are both main: keep one',
      'error: guest "malformed": "*" is no grant: write package.Service/Method, or package.Service/* for all of its methods',
    ]) {
      expect(lines).toContain(line);
    }
    expect(stdout).toContain('error: guest "gone": its module cannot be read');
    expect(lines.at(-1)).toBe(
      `${lines.filter((l) => l.startsWith("error")).length} errors, ${lines.filter((l) => l.startsWith("warning")).length} warnings`,
    );
    expect(code).toBe(1);
  });
});

describe("dropthrough inspect", () => {
  test("tells what a guest is", async () => {
    const file = guest("inspected", serving, {
      exports: ["dropthrough.testing.v1.EchoService"],
      descriptors: true,
    });
    const text = await dropthrough(["inspect", file]);
    expect(text.stdout).toBe(`inspected.wasm: a guest of dropthrough_v1 (reactor, serves)
memory: 1 pages of 64 KiB
imports:
  dropthrough_v1.bind (i32, i32) -> i32
  dropthrough_v1.call (i32, i32, i32, i32, i32, i32) -> i32
  dropthrough_v1.wait (i32, i32, i32) -> i32
exports:
  memory memory
  _initialize () -> ()
  dropthrough_v1_serve (i32, i32, i32) -> ()
manifest: inspected 1.2.3
  exports:
    dropthrough.testing.v1.EchoService
  services:
    dropthrough.testing.v1.EchoService: Echo, Forward
`);
    const json = await dropthrough(["inspect", file, "--json"]);
    expect(JSON.parse(json.stdout)).toMatchObject({
      abi: "dropthrough_v1",
      kind: "reactor",
      memory: { minimum: 1 },
    });
  });

  test("says why a file is no guest", async () => {
    writeFileSync(join(folder, "no.wasm"), "no");
    expect(await dropthrough(["inspect", "no.wasm"])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("this is no WebAssembly module") as string,
    });
    expect(await dropthrough(["inspect", "nowhere.wasm"])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("ENOENT") as string,
    });
  });
});
