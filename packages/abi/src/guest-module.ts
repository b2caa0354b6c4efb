import { fromBinary } from "@bufbuild/protobuf";
import { type Manifest, ManifestSchema } from "./gen/dropthrough/abi/v1/manifest_pb.ts";
import { cut, ModuleError } from "./module-error.ts";
import { type ModuleInfo, readModule } from "./module-reader.ts";

/** The import module, and so the version, of this ABI (docs/ABI.md, "Versions"). */
export const ABI_MODULE = "dropthrough_v1";

/** The six imports with their signatures. */
export const IMPORTS: ReadonlyMap<string, string> = new Map([
  ["bind", "(i32, i32) -> i32"],
  ["call", "(i32, i32, i32, i32, i32, i32) -> i32"],
  ["wait", "(i32, i32, i32) -> i32"],
  ["read", "(i32, i32, i32, i32) -> i32"],
  ["reply", "(i32, i32, i32, i32) -> i32"],
  ["release", "(i32) -> i32"],
]);

/** The exports that mean something to the host, with their signatures. */
export const EXPORTS: ReadonlyMap<string, string> = new Map([
  ["_start", "() -> ()"],
  ["_initialize", "() -> ()"],
  ["dropthrough_v1_serve", "(i32, i32, i32) -> ()"],
  ["dropthrough_v1_done", "(i32, i32) -> ()"],
]);

/** Two i32 globals that tell where a guest's last words are, if its language aborts (docs/ABI.md, "Ends"). */
export const ABORT_GLOBALS: readonly string[] = [
  "dropthrough_v1_abort_ptr",
  "dropthrough_v1_abort_len",
];

/** What a guest module is, known without running it. */
export interface GuestModule {
  readonly info: ModuleInfo;
  /** `command`: runs `_start` and ends. `reactor`: runs `_initialize`, if it has one, and stays. */
  readonly kind: "command" | "reactor";
  /** It exports `dropthrough_v1_serve`. */
  readonly serves: boolean;
  /** It exports `dropthrough_v1_done`: it has an event loop, and takes many calls at a time. */
  readonly eventLoop: boolean;
  /** What it says of itself, if it does. */
  readonly manifest: Manifest | undefined;
}

/**
 * Reads a module and checks that it keeps to the ABI.
 *
 * @param bytes the module
 * @param also names of import modules that the host provides besides `dropthrough_v1`
 * @throws ModuleError with one sentence that says what to do
 */
export function readGuestModule(bytes: Uint8Array, also: readonly string[] = []): GuestModule {
  const info = readModule(bytes);
  checkImports(info, also);
  checkExports(info);
  const has = (name: string): boolean => info.exports.some((e) => e.name === name);
  return {
    info,
    kind: has("_start") ? "command" : "reactor",
    serves: has("dropthrough_v1_serve"),
    eventLoop: has("dropthrough_v1_done"),
    manifest: readManifest(info),
  };
}

function checkImports(info: ModuleInfo, also: readonly string[]): void {
  for (const { module, name, kind, signature } of info.imports) {
    const what = `the import ${cut(module)}.${cut(name)}`;
    if (also.includes(module)) continue;
    if (module !== ABI_MODULE) {
      throw new ModuleError(
        /^dropthrough_v\d+$/.test(module)
          ? `the guest was built for ${cut(module)}, and this host knows ${ABI_MODULE} only: upgrade the host, or build the guest for ${ABI_MODULE}`
          : `${what} is unknown: a guest may import from ${ABI_MODULE} only`,
      );
    }
    const expected = IMPORTS.get(name);
    if (expected === undefined) {
      throw new ModuleError(
        `${what} is unknown: ${ABI_MODULE} has ${[...IMPORTS.keys()].join(", ")}`,
      );
    }
    if (kind !== "function") throw new ModuleError(`${what} must be a function, not a ${kind}`);
    if (signature !== expected) {
      throw new ModuleError(
        `${what} has the signature ${cut(String(signature))}: it must be ${expected}`,
      );
    }
  }
}

function checkExports(info: ModuleInfo): void {
  const memory = info.exports.find((e) => e.name === "memory");
  if (memory?.kind !== "memory") {
    throw new ModuleError(
      'the guest exports no memory: export its linear memory under the name "memory"',
    );
  }
  if (info.memories.some((m) => m.memory64)) {
    throw new ModuleError("the guest has a 64-bit memory: build it for wasm32");
  }
  if (info.memories.some((m) => m.shared)) {
    throw new ModuleError("the guest has a shared memory: build it without threads");
  }
  if (info.managed) {
    throw new ModuleError(
      "the guest makes objects in the engine's heap (structs, arrays, exceptions that hold references or more than 8 values, or are kept in tables or globals), which cannot be limited: build it for linear memory",
    );
  }
  for (const { name, kind, signature } of info.exports) {
    if (ABORT_GLOBALS.includes(name)) {
      if (kind !== "global")
        throw new ModuleError(`the export ${name} is a ${kind}: it must be a global`);
      continue;
    }
    const expected = EXPORTS.get(name);
    if (expected === undefined) {
      if (/^dropthrough_v\d+_/.test(name)) {
        throw new ModuleError(
          `the export ${cut(name)} is unknown: this host knows ${[...EXPORTS.keys()].join(", ")}`,
        );
      }
    } else if (kind !== "function" || signature !== expected) {
      throw new ModuleError(
        `the export ${name} is a ${kind}${signature === undefined ? "" : ` ${cut(signature)}`}: it must be a function ${expected}`,
      );
    }
  }
}

/** What a manifest takes to be read is up to 400 times as much, in bytes. */
const MOST_MANIFEST = 524_288;

function readManifest(info: ModuleInfo): Manifest | undefined {
  const [content, ...more] = info.custom("dropthrough.v1");
  if (content === undefined) return undefined;
  if (more.length > 0)
    throw new ModuleError("the guest has more than one custom section dropthrough.v1: keep one");
  if (content.length > MOST_MANIFEST) {
    throw new ModuleError(
      `the custom section dropthrough.v1 has ${content.length} bytes, above the limit of ${MOST_MANIFEST}: keep the descriptors of fewer services, without comments`,
    );
  }
  try {
    return fromBinary(ManifestSchema, content);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ModuleError(
      `the custom section dropthrough.v1 is no dropthrough.abi.v1.Manifest (${cut(why)}): build the guest again`,
      { cause },
    );
  }
}
