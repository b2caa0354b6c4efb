import { create, toBinary } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import {
  limitedModule,
  ManifestSchema,
  ModuleError,
  readGuestModule,
  readModule,
} from "../src/index.ts";
import { limitMemory } from "../src/memory-limit.ts";
import { limitTables } from "../src/table-limit.ts";
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

describe("the memory of a guest is capped by the engine", () => {
  const grower = `(memory (export "memory") 2) (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))`;
  const run = (bytes: Uint8Array<ArrayBuffer>): ((pages: number) => number) =>
    new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports["grow"] as (
      pages: number,
    ) => number;

  test("a memory without a maximum gets one", () => {
    const grow = run(limitMemory(wat(`(module ${grower})`), 300));
    expect(grow(299)).toBe(-1);
    expect(grow(298)).toBe(2);
    expect(grow(1)).toBe(-1);
  });

  test("a maximum that is lower stays", () => {
    const bytes = wat(`(module ${grower.replace("2)", "2 3)")})`);
    expect(limitMemory(bytes, 300)).toBe(bytes);
    expect(run(limitMemory(bytes, 300))(2)).toBe(-1);
  });

  test("a memory that starts above the limit is refused", () => {
    expect(() => limitMemory(wat(`(module ${grower})`), 1)).toThrow(
      "the guest starts with 2 pages of memory, above its limit of 1",
    );
  });

  test("an imported memory is refused", () => {
    expect(() => limitMemory(wat(`(module (import "e" "m" (memory 1)))`), 10)).toThrow(
      "the guest imports its memory",
    );
  });
});

describe("a limited module", () => {
  const limits = { memoryPages: 3, tableEntries: 5 };
  const compiled = (source: string): Promise<WebAssembly.Module> =>
    limitedModule(wat(`(module ${source})`), limits);

  test.each([
    ["", "is compiled at once if it is small"],
    [
      `(data (i32.const 0) "${"x".repeat(65_536)}")`,
      "is compiled in the background if it is large",
    ],
  ])("%#: grows neither its memory nor its table above them, and %s", async (data) => {
    const module = await compiled(
      `(memory (export "memory") 2) (table (export "t") 4 funcref) ${data}`,
    );
    const { exports } = new WebAssembly.Instance(module);
    const pages = exports["memory"] as WebAssembly.Memory;
    const table = exports["t"] as WebAssembly.Table;
    expect([pages.grow(1), table.grow(1)]).toEqual([2, 4]);
    expect(() => pages.grow(1)).toThrow(RangeError);
    expect(() => table.grow(1)).toThrow(RangeError);
  });

  test("is refused with a sentence if the engine refuses it, or it starts above them", async () => {
    await expect(compiled(`(func i32.add)`)).rejects.toThrow("the engine refuses the module: ");
    await expect(compiled(`(memory 4)`)).rejects.toThrow("starts with 4 pages of memory");
    await expect(compiled(`(table 6 funcref)`)).rejects.toThrow("tables of 6 entries");
  });
});

/** A module of sections, where the text has no words for them. */
function binary(
  ...sections: readonly (readonly [id: number, content: readonly number[]])[]
): Uint8Array<ArrayBuffer> {
  const bytes = sections.flatMap(([id, content]) => [id, content.length, ...content]);
  return Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...bytes]);
}

test("a guest with two memories is refused: each could grow as far as the limit", () => {
  expect(() => limitMemory(binary([5, [2, 0, 1, 0, 1]]), 10)).toThrow("the guest has 2 memories");
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

/** Globals of every type, filled in every way there is, but for exceptions. */
const GLOBALS = [
  [0x7f, 1, 0x41, 0xff, 0xff, 0xff, 0xff, 0x07, 0x0b],
  [0x7e, 0, 0x42, ...Array<number>(9).fill(0x80), 0x7f, 0x0b],
  [0x7d, 0, 0x43, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b],
  [0x7c, 0, 0x44, ...Array<number>(8).fill(0x0b), 0x0b],
  [0x7b, 0, 0xfd, 0x0c, ...Array<number>(16).fill(0x0b), 0x0b],
  [0x70, 0, 0xd0, 0x70, 0x0b],
  [0x70, 0, 0xd2, 0, 0x0b],
  [0x6f, 0, 0xd0, 0x6f, 0x0b],
  [0x7f, 0, 0x41, 1, 0x41, 2, 0x6a, 0x41, 3, 0x6c, 0x0b],
  [0x7e, 0, 0x42, 1, 0x42, 2, 0x7d, 0x0b],
  [0x6c, 0, 0x41, 1, 0xfb, 0x1c, 0x0b],
  [0x63, 0x00, 0, 0xd0, 0x00, 0x0b],
] as const;

describe("what lives in the engine's heap", () => {
  const pages = [
    [5, [1, 0, 1]],
    [7, [1, 6, ...Buffer.from("memory"), 2, 0]],
  ] as const;

  test.each([
    ["structs", [[1, [1, 0x5f, 1, 0x7f, 1]], ...pages]],
    ["arrays", [[1, [1, 0x4e, 1, 0x5e, 0x7f, 1]], ...pages]],
    [
      "exceptions that hold exceptions",
      [[1, [1, 0x60, 1, 0x69, 0]], pages[0], [13, [1, 0, 0]], pages[1]],
    ],
    [
      "exceptions that hold exceptions by the longer name of their type",
      [[1, [1, 0x60, 1, 0x63, 0xe9, 0x7f, 0]], pages[0], [13, [1, 0, 0]], pages[1]],
    ],
    [
      "exceptions of many values",
      [[1, [1, 0x60, 9, ...Array<number>(9).fill(0x7b), 0]], pages[0], [13, [1, 0, 0]], pages[1]],
    ],
    ["a table of exceptions", [[4, [1, 0x69, 0, 1]], ...pages]],
    [
      "a table of exceptions by the longest name of their type",
      [[4, [1, 0x63, 0xe9, 0xff, 0xff, 0xff, 0x7f, 0, 1]], ...pages],
    ],
    [
      "globals of exceptions, behind those of every other kind",
      [
        [1, [1, 0x60, 0, 0]],
        [3, [1, 0]],
        pages[0],
        [6, [GLOBALS.length + 1, ...GLOBALS.flat(), 0x69, 1, 0xd0, 0x69, 0x0b]],
        pages[1],
        [10, [1, 2, 0, 0x0b]],
      ],
    ],
  ] as const)("is no guest's to fill with %s", (_, sections) => {
    const bytes = binary(...sections);
    expect(WebAssembly.validate(bytes)).toBe(true);
    expect(() => readGuestModule(bytes)).toThrow("the guest makes objects in the engine's heap");
  });

  test.each([1, 8])("may hold exceptions of %i numbers", (count) => {
    const type = [1, 0x60, count, ...Array<number>(count).fill(0x7f), 0];
    const bytes = binary([1, type], pages[0], [13, [1, 0, 0]], pages[1]);
    expect(readGuestModule(bytes).kind).toBe("reactor");
  });

  test("may hold globals of every kind that is no object", () => {
    const bytes = binary(
      [1, [1, 0x60, 0, 0]],
      [3, [1, 0]],
      pages[0],
      [6, [GLOBALS.length, ...GLOBALS.flat()]],
      pages[1],
      [10, [1, 2, 0, 0x0b]],
    );
    expect(WebAssembly.validate(bytes)).toBe(true);
    expect(readGuestModule(bytes).kind).toBe("reactor");
  });

  test("takes a global that is filled by nothing known for a module that cannot be read", () => {
    const bytes = binary(pages[0], [6, [1, 0x7f, 0, 0x00, 0x0b]], pages[1]);
    expect(() => readGuestModule(bytes)).toThrow("filled by an unknown instruction");
  });

  /** How far a table can grow. */
  const grown = (bytes: Uint8Array<ArrayBuffer>, name = "t"): number => {
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes));
    const table = exports[name] as WebAssembly.Table;
    for (let step = 1024; step >= 1; step /= 2)
      try {
        while (table.length < 5000) table.grow(step);
      } catch {
        // It is above its limit.
      }
    return table.length;
  };

  test("takes tables that together grow to the limit", () => {
    const one = wat(`(module (table (export "t") 2 funcref))`);
    expect(grown(limitTables(one, 300))).toBe(300);
    const two = wat(
      `(module (table (export "t") 200 funcref) (table (export "u") 0 9000 externref) (table (export "v") 4 8 funcref)
        (elem (table 0) (i32.const 1) func $f) (func $f))`,
    );
    const limited = limitTables(two, 504);
    expect(["t", "u", "v"].map((name) => grown(limited, name))).toEqual([300, 100, 8]);
  });

  test("takes a table that is filled when it is made", () => {
    const bytes = binary(
      [4, [2, 0x40, 0, 0x70, 0, 2, 0xd0, 0x70, 0x0b, 0x70, 0, 1]],
      [7, [2, 1, 0x74, 1, 0, 1, 0x75, 1, 1]],
    );
    const limited = limitTables(bytes, 9);
    expect([grown(limited), grown(limited, "u")]).toEqual([5, 4]);
  });

  test("takes no tables that start above the limit", () => {
    const bytes = wat(`(module (table 6 funcref) (table 5 funcref))`);
    expect(() => limitTables(bytes, 10)).toThrow("the guest starts with tables of 11 entries");
  });

  test("is left as it is by tables that keep to the limit", () => {
    const bytes = wat(`(module (table 6 10 funcref))`);
    expect(limitTables(bytes, 10)).toBe(bytes);
  });
});
