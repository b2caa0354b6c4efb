import { describe, expect, test } from "vitest";
import { limitedModule } from "../src/index.ts";
import { limitMemory } from "../src/memory-limit.ts";
import { wat } from "@dropthrough/guest-text";
import { binary } from "./binary.ts";

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

test("a guest with two memories is refused: each could grow as far as the limit", () => {
  expect(() => limitMemory(binary([5, [2, 0, 1, 0, 1]]), 10)).toThrow("the guest has 2 memories");
});
