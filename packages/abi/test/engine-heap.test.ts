import { describe, expect, test } from "vitest";
import { readGuestModule } from "../src/index.ts";
import { limitTables } from "../src/table-limit.ts";
import { wat } from "@dropthrough/guest-text";
import { binary } from "./binary.ts";

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
