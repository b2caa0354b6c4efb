import { ModuleError } from "./module-error.ts";

/** What can be imported or exported. */
export type ExternKind = "function" | "table" | "memory" | "global" | "tag";

/** The limits of one memory, in pages of 64 KiB. */
export interface MemoryInfo {
  readonly minimum: number;
  readonly maximum: number | undefined;
  readonly shared: boolean;
  readonly memory64: boolean;
  readonly imported: boolean;
}

/** The limits of one table, in entries, and where they stand in the module, in bytes. */
export interface TableInfo {
  /** Of its entries, such as `funcref`. */
  readonly type: string;
  readonly flags: number;
  readonly minimum: number;
  readonly maximum: number | undefined;
  readonly at: number;
  readonly end: number;
}

const KINDS: readonly ExternKind[] = ["function", "table", "memory", "global", "tag"];
/** The heap type of exceptions, read as a signed number. */
const EXN = -0x17;
const VALUE_TYPES = new Map([
  [0x7f, "i32"],
  [0x7e, "i64"],
  [0x7d, "f32"],
  [0x7c, "f64"],
  [0x7b, "v128"],
  [0x69, "exnref"],
  [0x70, "funcref"],
  [0x6f, "externref"],
]);

/** `i32.add`, `sub`, `mul` and those of i64. */
const ARITHMETIC = new Set([0x6a, 0x6b, 0x6c, 0x7c, 0x7d, 0x7e]);
/** `any.convert_extern`, `extern.convert_any`, `ref.i31`: with no operand. */
const UNBOXED = new Set([0x1a, 0x1b, 0x1c]);

/** What V8 takes of each kind, at most: here of all kinds together, since each is kept, and read slowly. */
const MOST_ENTRIES = 1_000_000;
const utf8 = new TextDecoder("utf-8", { fatal: true });

/** Reads what stands in a section, from `at` on. Every read is checked against its end. */
export class SectionReader {
  at: number;
  readonly #bytes: Uint8Array;
  readonly #end: number;
  readonly #entries: { count: number };

  /** @param entries what was read of the module so far */
  constructor(bytes: Uint8Array, at: number, end: number, entries: { count: number }) {
    this.#bytes = bytes;
    this.at = at;
    this.#end = end;
    this.#entries = entries;
  }

  byte(): number {
    const byte = this.#bytes[this.at];
    if (byte === undefined || this.at >= this.#end)
      throw new ModuleError("the module ends too early");
    this.at++;
    return byte;
  }

  skip(count: number): void {
    if (count > this.#end - this.at) throw new ModuleError("the module ends too early");
    this.at += count;
  }

  u32(): number {
    return Number(BigInt.asUintN(32, this.#leb(5)));
  }

  #leb(most: number): bigint {
    let value = 0n;
    for (let i = 0; i < most; i++) {
      const byte = this.byte();
      value |= BigInt(byte & 0x7f) << BigInt(7 * i);
      if (byte < 0x80) return value;
    }
    throw new ModuleError("the module has a number that is too long");
  }

  name(): string {
    const length = this.u32();
    const start = this.at;
    this.skip(length);
    try {
      return utf8.decode(this.#bytes.subarray(start, this.at));
    } catch {
      throw new ModuleError("the module has a name that is not UTF-8");
    }
  }

  each<T>(read: () => T): T[] {
    const count = this.u32();
    // Each entry takes a byte or more, so a count beyond that is a lie that would cost memory.
    if (count > this.#end - this.at) throw new ModuleError("the module ends too early");
    this.#count(count);
    return Array.from({ length: count }, read);
  }

  #count(more: number): void {
    if ((this.#entries.count += more) <= MOST_ENTRIES) return;
    throw new ModuleError(
      `the module has more than ${MOST_ENTRIES} types, functions, imports and exports, with what belongs to them: build a smaller one`,
    );
  }

  kind(): ExternKind {
    const kind = KINDS[this.byte()];
    if (kind === undefined)
      throw new ModuleError("the module has an import or export of an unknown kind");
    return kind;
  }

  valueType(): string {
    const type = this.byte();
    if (type === 0x63 || type === 0x64) return this.#heapType() === EXN ? "exnref" : "ref";
    return VALUE_TYPES.get(type) ?? "ref";
  }

  /** Below 0 for a type that has a name, however many bytes that takes. */
  #heapType(): number {
    const start = this.at;
    const value = Number(this.#leb(5));
    const negative = ((this.#bytes[this.at - 1] ?? 0) & 0x40) !== 0;
    return negative ? value - 2 ** (7 * (this.at - start)) : value;
  }

  field(): void {
    const packed = this.#bytes[this.at];
    if (packed === 0x78 || packed === 0x77) this.byte();
    else this.valueType();
    this.byte();
  }

  #limits(): { flags: number; minimum: number; maximum: number | undefined } {
    const flags = this.byte();
    const minimum = Number(this.#leb(10));
    const maximum = (flags & 1) === 1 ? Number(this.#leb(10)) : undefined;
    return { flags, minimum, maximum };
  }

  memory(imported: boolean): MemoryInfo {
    const { flags, minimum, maximum } = this.#limits();
    return { minimum, maximum, shared: (flags & 2) !== 0, memory64: (flags & 4) !== 0, imported };
  }

  table(): TableInfo {
    const type = this.valueType();
    const at = this.at;
    return { type, ...this.#limits(), at, end: this.at };
  }

  /** A table, behind 40 00 if an expression that fills it stands behind it. */
  ownTable(): TableInfo {
    const filled = this.#bytes[this.at] === 0x40;
    if (filled) this.skip(2);
    const table = this.table();
    if (filled) this.#expression();
    return table;
  }

  /** What tables and globals are filled with: constants, references, sums of them. */
  #expression(): void {
    for (let code = this.byte(); code !== 0x0b; code = this.byte()) {
      this.#count(1);
      if (!this.#instruction(code))
        throw new ModuleError(
          "the module has a table or a global that is filled by an unknown instruction",
        );
    }
  }

  /** Skips what belongs to an instruction of a constant expression; false if it is none. */
  #instruction(code: number): boolean {
    if (code === 0x41 || code === 0xd0 || code === 0xd2 || code === 0x23) this.#leb(5);
    else if (code === 0x42) this.#leb(10);
    else if (code === 0x43) this.skip(4);
    else if (code === 0x44) this.skip(8);
    else if (code === 0xfd && this.u32() === 12) this.skip(16);
    else if (code === 0xfb) return UNBOXED.has(this.u32());
    else return ARITHMETIC.has(code);
    return true;
  }

  global(): string {
    const type = this.valueType();
    this.byte();
    return type;
  }

  /** A global, and what it is filled with; answers its type. */
  ownGlobal(): string {
    const type = this.global();
    this.#expression();
    return type;
  }

  /** A tag; answers the number of its type. */
  tag(): number {
    this.byte();
    return this.u32();
  }
}
