import { readFileSync } from "node:fs";
import { create } from "@bufbuild/protobuf";
import { ServiceDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { afterAll, describe, expect, test } from "vitest";
import { DeploymentFolder } from "./deployment-folder.ts";
import { FACADE, facade, facadeDescriptors, idle } from "./guests.ts";
import { inspect } from "../src/index.ts";
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

  test("prints some of what a hostile module names, and how much it left out", async () => {
    const long = "x".repeat(20_000);
    const many = (count: number): string[] => Array.from({ length: count }, (_, i) => `x.S${i}`);
    const descriptors = facadeDescriptors();
    const { inputType = "", outputType = "" } = descriptors.file[1]?.service[0]?.method[0] ?? {};
    descriptors.file[1]?.service.push(
      ...many(300).map((name) =>
        create(ServiceDescriptorProtoSchema, {
          name: name.slice(2),
          method: many(10).map((method) => ({ name: method.slice(2), inputType, outputType })),
        }),
      ),
    );
    const functions = many(2_000).map((name) => `(func (export "${name}"))`);
    const file = folder.guest(
      "flood",
      wat(`(module (memory (export "memory") 1) (func (export "${long}")) ${functions.join(" ")})`),
      {
        name: long,
        version: long,
        exports: [long, ...many(5_000)],
        requires: many(257),
        descriptors,
      },
    );
    const { stdout } = await folder.dropthrough(["inspect", file]);
    const lines = stdout.trimEnd().split("\n");
    expect(lines.length).toBeLessThan(1_100);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(600);
    expect(lines.filter((line) => line.includes("more"))).toEqual([
      "  … and 1746 more",
      "    … and 4745 more",
      "    … and 1 more",
      "    test.v1.S102: S0, … and 9 more",
      ...Array.from({ length: 151 }, (_, i) => `    test.v1.S${103 + i}: … and 10 more`),
      "    … and 46 more",
    ]);
    const json = await folder.dropthrough(["inspect", file, "--json"]);
    expect(json.stdout.length).toBeLessThan(100_000);
    const printed = JSON.parse(json.stdout) as ReturnType<typeof inspect> & { leftOut: object };
    expect(printed.manifest?.exports).toHaveLength(256);
    expect(printed.leftOut).toMatchObject({
      exports: 1746,
      "manifest.exports": 4745,
      "manifest.requires": 1,
      "manifest.services": 46,
      "manifest.services.test.v1.S102": 9,
    });
    // A program gets all.
    expect(inspect(readFileSync(`${folder.path}/${file}`)).manifest?.exports).toHaveLength(5_001);
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
    expect(await folder.dropthrough(["inspect", "/dev/zero"])).toMatchObject({
      code: 1,
      stdout: "",
      stderr: expect.stringContaining("has more than 134217728 bytes, above its limit") as string,
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
