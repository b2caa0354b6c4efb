import { create, toBinary } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { ManifestSchema, ModuleError, readGuestModule, readModule } from "../src/index.ts";
import { wat } from "@dropthrough/guest-text";

const memory = `(memory (export "memory") 1)`;
const load = (source: string): ReturnType<typeof readGuestModule> =>
  readGuestModule(wat(`(module ${source})`));

/** Appends a custom section, as guest libraries do. */
function withCustom(module: Uint8Array, name: string, content: Uint8Array): Uint8Array {
  const body = [name.length, ...Buffer.from(name), ...content];
  if (body.length > 127) throw new Error("too long for this test");
  return Uint8Array.from([...module, 0, body.length, ...body]);
}

describe("a module is refused at load, with what to do", () => {
  test.each([
    [
      "no memory",
      `(func (export "_start"))`,
      "the guest exports no memory: export its linear memory",
    ],
    ["a function called memory", `(func (export "memory"))`, "the guest exports no memory"],
    [
      "an unknown import module",
      `(import "env" "f" (func)) ${memory}`,
      "the import env.f is unknown: a guest may import from dropthrough_v1 only",
    ],
    [
      "an unknown import",
      `(import "dropthrough_v1" "open" (func)) ${memory}`,
      "the import dropthrough_v1.open is unknown: dropthrough_v1 has bind, call, wait, read, reply, release",
    ],
    [
      "a later version of the ABI",
      `(import "dropthrough_v2" "call" (func)) ${memory}`,
      "the guest was built for dropthrough_v2, and this host knows dropthrough_v1 only: upgrade the host",
    ],
    [
      "an import of a wrong signature",
      `(import "dropthrough_v1" "bind" (func (param i64 i32) (result i32))) ${memory}`,
      "the import dropthrough_v1.bind has the signature (i64, i32) -> i32: it must be (i32, i32) -> i32",
    ],
    [
      "an import that is no function",
      `(import "dropthrough_v1" "bind" (global i32)) ${memory}`,
      "the import dropthrough_v1.bind must be a function, not a global",
    ],
    [
      "serve of a wrong signature",
      `${memory} (func (export "dropthrough_v1_serve") (param i32 i32))`,
      "the export dropthrough_v1_serve is a function (i32, i32) -> (): it must be a function (i32, i32, i32) -> ()",
    ],
    [
      "a start of a wrong signature",
      `${memory} (func (export "_start") (result i32) i32.const 0)`,
      "the export _start is a function () -> i32: it must be a function () -> ()",
    ],
    [
      "an export of another version",
      `${memory} (func (export "dropthrough_v2_serve"))`,
      "the export dropthrough_v2_serve is unknown",
    ],
  ])("%s", (_, source, message) => {
    expect(() => load(source)).toThrow(ModuleError);
    expect(() => load(source)).toThrow(message);
  });

  test("bytes that are no WebAssembly", () => {
    expect(() => readGuestModule(Buffer.from("#!/bin/sh"))).toThrow(
      "this is no WebAssembly module",
    );
    expect(() => readGuestModule(new Uint8Array())).toThrow("this is no WebAssembly module");
  });

  test.each<[string, number, (count: number[]) => number[], number, number]>([
    ["functions", 3, (count) => count, 0, 1],
    ["parameters", 1, (count) => [1, 0x60, ...count], 0x7f, 1],
    ["functions in several sections", 3, (count) => count, 0, 3],
    ["instructions that fill a global", 6, () => [1, 0x7f, 0], 0x6a, 1],
  ])("more %s than any engine takes, before they fill the heap", (_, id, begin, fill, times) => {
    const leb = (value: number): number[] =>
      value < 128 ? [value] : [(value % 128) | 128, ...leb(Math.floor(value / 128))];
    const count = Math.ceil(1_000_001 / times);
    const start = begin(leb(count));
    const section = [id, ...leb(start.length + count), ...start];
    const parts = Array.from({ length: times }, () => [
      Uint8Array.from(section),
      Buffer.alloc(count, fill),
    ]);
    const bytes = Buffer.concat([Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0), ...parts.flat()]);
    const refused = "the module has more than 1000000 types, functions, imports and exports";
    expect(() => readGuestModule(bytes)).toThrow(refused);
  });

  test("more sections than any compiler makes", () => {
    const bytes = new Uint8Array(8 + 3 * 10_001);
    bytes.set([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
    for (let at = 8; at < bytes.length; at += 3) bytes[at + 1] = 1;
    expect(() => readGuestModule(bytes)).toThrow("the module has more than 10000 sections");
    expect(() => readGuestModule(bytes.subarray(0, -3))).toThrow("the guest exports no memory");
  });

  test("a component", () => {
    expect(() => readGuestModule(Uint8Array.from([0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0]))).toThrow(
      "this is a WebAssembly component: build the guest as a core module",
    );
  });

  test("a module that ends too early, at every length", () => {
    const whole = wat(
      `(module (import "dropthrough_v1" "bind" (func (param i32 i32) (result i32))) ${memory})`,
    );
    for (let length = 0; length < whole.length; length++) {
      // A cut may fall between two sections: what is left is a module, but not this guest.
      expect(() => readGuestModule(whole.slice(0, length)), `${length} bytes`).toThrow(ModuleError);
    }
  });

  test("a manifest that is none, or two of them", () => {
    const plain = wat(`(module ${memory})`);
    const manifest = toBinary(
      ManifestSchema,
      create(ManifestSchema, { name: "a.b", exports: ["c.D"] }),
    );
    expect(() => readGuestModule(withCustom(plain, "dropthrough.v1", Uint8Array.of(0xff)))).toThrow(
      "is no dropthrough.abi.v1.Manifest",
    );
    const once = withCustom(plain, "dropthrough.v1", manifest);
    expect(readGuestModule(once).manifest).toMatchObject({ name: "a.b", exports: ["c.D"] });
    expect(() => readGuestModule(withCustom(once, "dropthrough.v1", manifest))).toThrow(
      "more than one custom section",
    );
  });
});

test("what a guest is can be read without running it", () => {
  expect(load(`${memory} (func (export "_start"))`)).toMatchObject({
    kind: "command",
    serves: false,
    eventLoop: false,
  });
  expect(
    load(
      `${memory} (func (export "dropthrough_v1_serve") (param i32 i32 i32)) (func (export "dropthrough_v1_done") (param i32 i32))`,
    ),
  ).toMatchObject({
    kind: "reactor",
    serves: true,
    eventLoop: true,
    manifest: undefined,
  });
});

test("imports and exports are read with their signatures, whatever stands between them", () => {
  const info = readModule(
    wat(`(module
      (import "e" "t" (table 1 2 funcref)) (import "e" "g" (global (mut i64))) (import "e" "m" (memory 1 2))
      (import "e" "f" (func (param f64 i64) (result f32)))
      (func (export "two") (result i32 i64) i32.const 0 i64.const 0) (global (export "g") i32 (i32.const 1)))`),
  );
  expect(info.imports.map((i) => [i.name, i.kind, i.signature])).toEqual([
    ["t", "table", undefined],
    ["g", "global", undefined],
    ["m", "memory", undefined],
    ["f", "function", "(f64, i64) -> f32"],
  ]);
  expect(info.exports).toEqual([
    { name: "two", kind: "function", signature: "() -> (i32, i64)" },
    { name: "g", kind: "global", signature: undefined },
  ]);
});

test.each([
  ["an import module", (long: string) => `(import "${long}" "f" (func))`],
  ["a version", () => `(import "dropthrough_v${"1".repeat(9999)}" "f" (func))`],
  ["an import", (long: string) => `(import "dropthrough_v1" "${long}" (func))`],
  ["an export", (long: string) => `(func (export "dropthrough_v1_${long}"))`],
  ["a signature", () => `(func (export "_start") ${"(param i64)".repeat(999)})`],
  [
    "an imported signature",
    () => `(import "dropthrough_v1" "bind" (func ${"(param i64)".repeat(999)}))`,
  ],
])("the name of %s makes no sentence longer than a few lines", (_, source) => {
  let message = "";
  try {
    load(`${source("x".repeat(9999))} ${memory}`);
  } catch (error) {
    ({ message } = error as ModuleError);
  }
  expect(message).toContain("…");
  expect(message.length).toBeLessThan(600);
});
