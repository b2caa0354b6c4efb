import { afterAll, describe, expect, test } from "vitest";
import { DeploymentFolder } from "./deployment-folder.ts";
import { FACADE, facade, facadeDescriptors, idle } from "./guests.ts";
import { wat } from "@dropthrough/guest-text";

const folder = new DeploymentFolder();
afterAll(() => folder[Symbol.dispose]());

describe("dropthrough inspect", () => {
  test("tells what a guest is", async () => {
    const file = folder.guest("inspected", facade(), {
      version: "1.2.3",
      exports: [FACADE],
      requires: ["x.v1.Log"],
      descriptors: facadeDescriptors(),
    });
    const text = await folder.dropthrough(["inspect", file]);
    expect(text.stdout).toBe(`inspected.wasm: a guest of dropthrough_v1 (reactor, serves)
memory: 1 pages of 64 KiB
imports:
  dropthrough_v1.bind (i32, i32) -> i32
  dropthrough_v1.call (i32, i32, i32, i32, i32, i32) -> i32
  dropthrough_v1.wait (i32, i32, i32) -> i32
  dropthrough_v1.read (i32, i32, i32, i32) -> i32
  dropthrough_v1.reply (i32, i32, i32, i32) -> i32
  dropthrough_v1.release (i32) -> i32
exports:
  memory memory
  _initialize () -> ()
  dropthrough_v1_serve (i32, i32, i32) -> ()
manifest: inspected 1.2.3
  exports:
    ${FACADE}
  requires:
    x.v1.Log
  services:
    dropthrough.testing.v1.EchoService: Echo, Forward
    ${FACADE}: Relay
`);
    const json = await folder.dropthrough(["inspect", file, "--json"]);
    expect(JSON.parse(json.stdout)).toMatchObject({
      abi: "dropthrough_v1",
      kind: "reactor",
      serves: true,
      memory: { minimum: 1 },
      manifest: { version: "1.2.3", services: { [FACADE]: ["Relay"] } },
    });
  });

  test("prints nothing of a hostile module as it is", async () => {
    const name = "\\1b[2J\\0aerror: forged\\c2\\9b\\e2\\80\\ae";
    const file = folder.guest(
      "hostile",
      wat(
        `(module (memory (export "memory") 1) (func (export "_start")) (func (export "${name}")))`,
      ),
    );
    const escaped = "\\u001b[2J\\nerror: forged\\u009b\\u202e";
    expect((await folder.dropthrough(["inspect", file])).stdout).toContain(
      `\n  ${escaped} () -> ()\n`,
    );
    const { stdout } = await folder.dropthrough(["inspect", file, "--json"]);
    expect(stdout).not.toMatch(/[\u009b\u202e]/);
    expect((JSON.parse(stdout) as { exports: string[] }).exports).toContain(
      "\u001b[2J\nerror: forged\u009b\u202e () -> ()",
    );
  });

  test("says why a file is no guest", async () => {
    folder.write("no.wasm", "no");
    expect(await folder.dropthrough(["inspect", "no.wasm"])).toEqual({
      code: 1,
      stdout: "",
      stderr:
        "dropthrough: this is no WebAssembly module: it does not begin with 00 61 73 6d 01 00 00 00\n",
    });
    expect(await folder.dropthrough(["inspect", "nowhere.wasm"])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("nowhere.wasm cannot be read: ENOENT") as string,
    });
    const descriptors = facadeDescriptors();
    descriptors.file.shift();
    const unbound = folder.guest("unbound", idle(), { descriptors });
    expect(await folder.dropthrough(["inspect", unbound])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /^dropthrough: the descriptors in its manifest do not fit together .*\n$/,
      ) as string,
    });
  });
});
