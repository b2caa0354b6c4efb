import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { defineBackend } from "@dropthrough/dispatch";
import { echo, EchoService } from "@dropthrough/dispatch/testing";
import { run, traceTo } from "dropthrough";
import { afterAll, describe, expect, test } from "vitest";
import { DeploymentFolder, untimed } from "./deployment-folder.ts";
import {
  asker,
  caller,
  client,
  ECHO,
  ECHO_GRANTS,
  echoRequest,
  environmentAsker,
  exits,
  facade,
  FACADE,
  facadeDescriptors,
  idle,
  ignorant,
} from "./guests.ts";
import { wat } from "@dropthrough/guest-text";

const folder = new DeploymentFolder();
afterAll(() => folder[Symbol.dispose]());

const MEMORY = `(memory (export "memory") 1)`;

describe("dropthrough run", () => {
  test("runs a deployment, and traces its calls", async () => {
    const module = folder.guest("ok", caller(echoRequest({ payload: "hi" })));
    const file = folder.config("ok", [{ name: "a", module, grants: ECHO_GRANTS }]);
    const { code, stderr, stdout } = await folder.dropthrough(["run", file, "--trace"]);
    expect(untimed(stderr)).toBe(
      `==> a ${ECHO}/Echo {"payload":"hi"}\n<== OK {"payload":"hi"} T\n`,
    );
    expect([code, stdout]).toEqual([0, ""]);
  });

  test.each([
    ["as messages where its manifest has descriptors", true, '{"payload":"hi"}'],
    ["as sizes where nobody knows descriptors", false, "<4 bytes>"],
  ])("traces calls between guests %s, and what they lead to indented", async (_, known, shown) => {
    const request = echoRequest({ payload: "hi" });
    const guests = [
      {
        name: "facade",
        module: folder.guest(
          "facade",
          facade(),
          known
            ? { exports: [FACADE], requires: [ECHO], descriptors: facadeDescriptors() }
            : undefined,
        ),
        exports: [FACADE],
        grants: ECHO_GRANTS,
      },
      {
        name: "client",
        module: folder.guest("client", client(request)),
        grants: [`${FACADE}/*`],
      },
    ];
    const { code, stderr } = await folder.dropthrough([
      "run",
      folder.config("nested", guests),
      "--trace",
    ]);
    const trace = untimed(stderr);
    expect(trace.slice(trace.indexOf(`==> client ${FACADE}`))).toBe(
      `==> client ${FACADE}/Relay ${shown}
  ==> facade ${ECHO}/Echo {"payload":"hi"}
  <== OK {"payload":"hi"} T
<== OK ${shown} T
`,
    );
    expect(code).toBe(0);
  });

  test("gives its arguments to the main guest alone, behind those of the configuration", async () => {
    const guests = [
      { name: "facade", module: folder.guest("facade", facade()), exports: [FACADE] },
      { name: "main", module: folder.guest("asker", asker()), arguments: ["--first"] },
    ];
    const { stderr, code } = await folder.dropthrough([
      "run",
      folder.config("args", guests),
      "--trace",
      "--",
      "x",
      "--trace",
    ]);
    expect(untimed(stderr)).toContain('<== OK {"arguments":["--first","x","--trace"]} T\n');
    expect(untimed(stderr)).toContain("KernelService/Arguments {}\n<== OK {} T\n");
    expect(code).toBe(0);
  });

  test("gives a guest the environment of its configuration, and nothing of its own", async () => {
    const module = folder.guest("environment", environmentAsker());
    const guests = [
      { name: "a", module, environment: { TZ: "UTC" }, main: true },
      { name: "b", module },
    ];
    const file = folder.config("environment", guests);
    const { stderr, code } = await folder.dropthrough(["run", file, "--trace"]);
    expect(untimed(stderr)).toContain('<== OK {"variables":{"TZ":"UTC"}} T\n');
    expect(untimed(stderr)).toContain(
      "==> b dropthrough.kernel.v1.KernelService/Environment {}\n<== OK {} T\n",
    );
    expect(code).toBe(0);
  });

  test("finds no main guest in a module that is too large, and reads no more of it", async () => {
    const huge = { name: "a", module: "/dev/zero", limits: { moduleBytes: 1_000 } };
    const file = folder.config("huge", [huge]);
    expect(await folder.dropthrough(["run", file, "--", "x"])).toMatchObject({
      code: 193,
      stderr: expect.stringContaining("no guest is main") as string,
    });
    expect(await folder.dropthrough(["run", file])).toMatchObject({
      stderr: expect.stringContaining(
        'guest "a": its module has more than 1000 bytes, above its limit of 1000',
      ) as string,
    });
  });

  test("says so when there is no main guest to give arguments to", async () => {
    const module = folder.guest("idle", idle());
    const file = folder.config("nobody", [{ name: "a", module }]);
    expect(await folder.dropthrough(["run", file, "--", "x"])).toMatchObject({
      code: 193,
      stderr:
        'dropthrough: no guest is main, so nobody takes the arguments x: mark one with "main: true", and make sure that its module is there\n',
    });
  });

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

  test("goes on when nobody reads its output", async () => {
    const module = folder.guest("slow", caller(echoRequest({ delayMs: 300 })));
    const file = folder.config("deaf", [{ name: "a", module, grants: ECHO_GRANTS }]);
    const { code } = await folder.dropthrough(["run", file, "--trace"], { deaf: true });
    expect(code).toBe(0);
  });

  test.each([
    [
      "a configuration that is not there",
      ["run", "none.config.ts"],
      193,
      "none.config.ts does not exist",
    ],
    ["a folder without one", ["run", tmpdir()], 193, "there is no usable dropthrough.config"],
    ["no command", [], 194, "name a command: run, check, graph, inspect, logs"],
    ["an unknown command", ["frobnicate"], 194, '"frobnicate" is no command'],
    ["an unknown option", ["run", "--frobnicate"], 194, "frobnicate"],
    ["an option of another command", ["check", "--trace"], 194, "check takes no --trace"],
    ["arguments for no guest", ["check", "--", "x"], 194, "check runs no guest"],
    ["no file to inspect", ["inspect"], 194, "inspect needs a file"],
    ["too many arguments", ["run", "a", "b"], 194, "too many arguments: b"],
  ])("given %s says so in one sentence", async (_, args, expected, message) => {
    const { code, stderr } = await folder.dropthrough(args);
    expect(stderr).toContain(message);
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
    expect(code).toBe(expected);
  });

  test("given a guest that cannot be loaded says which", async () => {
    folder.write("bad.wasm", "#!/bin/sh");
    const bad = folder.config("bad", [{ name: "a", module: "bad.wasm" }]);
    expect(await folder.dropthrough(["run", bad])).toMatchObject({
      code: 193,
      stderr:
        'dropthrough: guest "a": this is no WebAssembly module: it does not begin with 00 61 73 6d 01 00 00 00\n',
    });
    const missing = folder.config("missing", [{ name: "a", module: "none.wasm" }]);
    const { stderr } = await folder.dropthrough(["run", missing]);
    expect(stderr).toContain('guest "a": its module cannot be read');
  });

  test("tells how to use it, and its version", async () => {
    const help = await folder.dropthrough(["run", "--help"]);
    expect(help).toMatchObject({ code: 0, stderr: "" });
    for (const code of [193, 194, 195, 196, 251, 252, 253, 254, 130, 143])
      expect(help.stdout).toContain(String(code));
    expect((await folder.dropthrough(["--version"])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

test.runIf(existsSync("/dev/full"))(
  "an answer that the disk has no room for is no success",
  async () => {
    const module = folder.guest("full", caller());
    const file = folder.config("full", [{ name: "a", module, grants: ECHO_GRANTS }]);
    const log = folder.write("full.log", '{"level":30,"guest":"a","msg":"hi"}\n'.repeat(9));
    for (const args of [
      ["--help"],
      ["check", file],
      ["graph", file],
      ["inspect", module],
      ["logs", log],
    ]) {
      expect(await folder.dropthrough(args, { stdout: "/dev/full" }), args[0]).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(
          /^dropthrough: standard output cannot be written: ENOSPC.*\n$/,
        ),
      });
    }
  },
);

describe("run", () => {
  const guests = [{ name: "a", module: caller(), grants: ECHO_GRANTS }];

  test("does not wait for a backend that never closes", async () => {
    const lines: string[] = [];
    const stays = defineBackend({
      name: "stays",
      service: EchoService,
      impl: { echo: () => ({}), forward: () => ({}) },
      [Symbol.asyncDispose]: async () => new Promise(() => {}),
    });
    const report = (line: string): void => void lines.push(line);
    const config = { backends: [stays], guests };
    expect(await run(config, { closeTimeoutMs: 20, report })).toBe(0);
    expect(lines).toEqual([
      "not all was closed within 20 ms: what a backend holds may be left behind",
    ]);
  });

  test("answers 130 when its signal was aborted before it began, and runs no guest", async () => {
    const config = {
      backends: [echo()],
      guests: [{ ...guests[0], name: "a", module: caller(echoRequest({ delayMs: 60_000 })) }],
    };
    const lines: string[] = [];
    const observers = [traceTo({ write: (line) => lines.push(line) })];
    expect(await run(config, { signal: AbortSignal.abort(), observers })).toBe(130);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(lines).toEqual([]);
  });

  test("refuses two owners of one service, and no guests at all", async () => {
    await expect(run({ backends: [echo(), echo()], guests })).rejects.toThrow(
      `${ECHO} has two owners, "echo" and "echo": plug in one of them`,
    );
    await expect(run({})).rejects.toThrow("the deployment has no guest");
  });

  test("shows calls to the observers of the configuration and to its own", async () => {
    const seen: string[] = [];
    const observer = (name: string) => ({ started: () => void seen.push(name) });
    const config = { backends: [echo()], guests, observers: [observer("configured")] };
    expect(await run(config, { observers: [observer("own")] })).toBe(0);
    expect(seen).toEqual(["configured", "own"]);
  });
});
