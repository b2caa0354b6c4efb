/**
 * Reads what the host must know of a WebAssembly module before it runs: its imports and exports with their
 * signatures, its memories and tables, its custom sections. The JavaScript API tells names but no signatures.
 *
 * Source: WebAssembly Core Specification 3.0, "Binary Format / Modules".
 *
 * ```text
 *  00 61 73 6d  01 00 00 00   then sections:  id | size (u32 leb) | size bytes
 *  1 types   2 imports   3 functions   4 tables   5 memories   6 globals   7 exports   13 tags   0 custom: name | bytes
 * ```
 */
export interface ModuleInfo {
  readonly imports: readonly ModuleImport[];
  readonly exports: readonly ModuleExport[];
  readonly memories: readonly MemoryInfo[];
  /** Its own tables. */
  readonly tables: readonly TableInfo[];
  /**
   * It can fill the engine's heap: with structs and arrays, exceptions that hold exceptions or many values, or exceptions that it
   * keeps in tables or globals.
   */
  readonly managed: boolean;
  /** The contents of the custom sections of a name, in order. */
  custom(name: string): readonly Uint8Array[];
}

/** One import. */
export interface ModuleImport {
  readonly module: string;
  readonly name: string;
  readonly kind: ExternKind;
  /** Such as `(i32, i32) -> i32`; only for functions. */
  readonly signature: string | undefined;
}

/** One export. */
export interface ModuleExport {
  readonly name: string;
  readonly kind: ExternKind;
  /** Such as `() -> ()`; only for functions. */
  readonly signature: string | undefined;
}

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

/** The bytes are no WebAssembly module that could be read. */
export class ModuleError extends Error {
  override name = "ModuleError";
}

const MOST_LETTERS = 120;

/** A sentence is no place for a name of a megabyte. */
export function cut(text: string): string {
  return text.length > MOST_LETTERS ? `${text.slice(0, MOST_LETTERS)}…` : text;
}

const KINDS: readonly ExternKind[] = ["function", "table", "memory", "global", "tag"];
/** The heap type of exceptions, read as a signed number. */
const EXN = -0x17;
/** Values that an exception may hold. The compilers' own hold one; as many exceptions as a stack can name then fill 100 MiB. */
const MOST_THROWN = 8;
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
/** Compilers make some dozens. */
const MOST_SECTIONS = 10_000;

/** One section of a module: its id, where its header starts and where its content lies, in bytes. */
export interface Section {
  readonly id: number;
  readonly start: number;
  readonly at: number;
  readonly end: number;
}

/**
 * Splits a module into sections.
 *
 * @throws ModuleError if it is no WebAssembly module of version 1
 */
export function readSections(bytes: Uint8Array): Section[] {
  const magic = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
  if (magic.some((byte, i) => bytes[i] !== byte)) {
    const component = bytes[0] === 0 && bytes[1] === 0x61 && bytes[4] === 0x0d;
    throw new ModuleError(
      component
        ? "this is a WebAssembly component: build the guest as a core module"
        : "this is no WebAssembly module: it does not begin with 00 61 73 6d 01 00 00 00",
    );
  }
  const sections: Section[] = [];
  const reader = new Reader(bytes, 8, bytes.length, { count: 0 });
  while (reader.at < bytes.length) {
    const start = reader.at;
    const id = reader.byte();
    const size = reader.u32();
    const at = reader.at;
    reader.skip(size);
    if (sections.push({ id, start, at, end: reader.at }) > MOST_SECTIONS)
      throw new ModuleError(`the module has more than ${MOST_SECTIONS} sections: strip it`);
  }
  return sections;
}

/**
 * Reads a module.
 *
 * @throws ModuleError if the bytes cannot be read
 */
export function readModule(bytes: Uint8Array): ModuleInfo {
  const types: (string | undefined)[] = [];
  const functions: (string | undefined)[] = [];
  const imports: ModuleImport[] = [];
  const exports: ModuleExport[] = [];
  const memories: MemoryInfo[] = [];
  const tables: TableInfo[] = [];
  let managed = false;
  const customs: { name: string; content: Uint8Array }[] = [];
  const entries = { count: 0 };
  for (const section of readSections(bytes)) {
    const reader = new Reader(bytes, section.at, section.end, entries);
    if (section.id === 13) {
      reader.each(() => (managed ||= holdsMuch(types[reader.tag()] ?? "")));
    } else if (section.id === 0) {
      customs.push({ name: reader.name(), content: bytes.subarray(reader.at, section.end) });
    } else if (section.id === 1) {
      reader.each(() => readTypes(reader, types));
      managed ||= types.includes(undefined);
    } else if (section.id === 2) {
      reader.each(() => {
        const [module, name, kind] = [reader.name(), reader.name(), reader.kind()];
        let signature: string | undefined;
        if (kind === "function") functions.push((signature = types[reader.u32()]));
        else if (kind === "table") reader.table();
        else if (kind === "memory") memories.push(reader.memory(true));
        else if (kind === "global") reader.global();
        else reader.tag();
        imports.push({ module, name, kind, signature });
      });
    } else if (section.id === 3) {
      reader.each(() => functions.push(types[reader.u32()]));
    } else if (section.id === 4) {
      reader.each(() => tables.push(reader.ownTable()));
    } else if (section.id === 5) {
      reader.each(() => memories.push(reader.memory(false)));
    } else if (section.id === 6) {
      reader.each(() => (managed = reader.ownGlobal() === "exnref" || managed));
    } else if (section.id === 7) {
      reader.each(() => {
        const [name, kind, index] = [reader.name(), reader.kind(), reader.u32()];
        exports.push({ name, kind, signature: kind === "function" ? functions[index] : undefined });
      });
    }
  }
  managed ||= tables.some(({ type }) => type === "exnref");
  const custom = (name: string): Uint8Array[] =>
    customs.filter((c) => c.name === name).map((c) => c.content);
  return { imports, exports, memories, tables, managed, custom };
}

/** Whether an exception with these values could hold other ones, or so many values that a lot of them fills the heap. */
function holdsMuch(signature: string): boolean {
  return /\b(exn)?ref\b/.test(signature) || signature.split(", ").length > MOST_THROWN;
}

/** One entry of the type section: a type, or a group of types. */
function readTypes(reader: Reader, types: (string | undefined)[]): void {
  const form = reader.byte();
  if (form === 0x4e) reader.each(() => readType(reader, types, reader.byte()));
  else readType(reader, types, form);
}

function readType(reader: Reader, types: (string | undefined)[], form: number): void {
  if (form === 0x50 || form === 0x4f) {
    reader.each(() => reader.u32());
    form = reader.byte();
  }
  if (form === 0x60) {
    const parameters = reader.each(() => reader.valueType());
    const results = reader.each(() => reader.valueType());
    types.push(
      `(${parameters.join(", ")}) -> ${results.length === 1 ? results[0] : `(${results.join(", ")})`}`,
    );
  } else if (form === 0x5f) {
    reader.each(() => reader.field());
    types.push(undefined);
  } else if (form === 0x5e) {
    reader.field();
    types.push(undefined);
  } else {
    throw new ModuleError(`the module has a type of the unknown form 0x${form.toString(16)}`);
  }
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** A cursor over a section. Every read is checked against its end. */
class Reader {
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
