import { ModuleError } from "./module-error.ts";
import {
  type ExternKind,
  type MemoryInfo,
  SectionReader,
  type TableInfo,
} from "./section-reader.ts";

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

/** Values that an exception may hold. The compilers' own hold one; as many exceptions as a stack can name then fill 100 MiB. */
const MOST_THROWN = 8;
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
  const reader = new SectionReader(bytes, 8, bytes.length, { count: 0 });
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
    const reader = new SectionReader(bytes, section.at, section.end, entries);
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
function readTypes(reader: SectionReader, types: (string | undefined)[]): void {
  const form = reader.byte();
  if (form === 0x4e) reader.each(() => readType(reader, types, reader.byte()));
  else readType(reader, types, form);
}

function readType(reader: SectionReader, types: (string | undefined)[], form: number): void {
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
