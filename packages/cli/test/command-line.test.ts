import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { afterAll, describe, expect, test } from "vitest";
import { DeploymentFolder } from "./deployment-folder.ts";
import { caller, ECHO_GRANTS } from "./guests.ts";

const folder = new DeploymentFolder();
afterAll(() => folder[Symbol.dispose]());

describe("dropthrough run", () => {
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
