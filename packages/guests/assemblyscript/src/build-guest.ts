import { mkdir, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { compile } from "./compile.ts";
import { checkImports, MANIFEST_SECTION, withSection } from "./guest-module.ts";
import { encodeManifest } from "./manifest.ts";

/** How to build a guest; see the README for the same as flags of `dropthrough-as`. */
export interface BuildOptions {
  /** The guest's module, which exports `main(): void`. */
  readonly entry: string;
  /** Where to write the module; nowhere if not said. */
  readonly outFile?: string | undefined;
  /** The guest's name, such as "words.facade". */
  readonly name?: string | undefined;
  /** The guest's version, for people. */
  readonly version?: string | undefined;
  /** Full names of the services that it serves. */
  readonly exports?: readonly string[] | undefined;
  /** Full names of the services that it calls. */
  readonly requires?: readonly string[] | undefined;
  /** Where to look for `*.descriptors.txt`; by default in `gen` beside the entry. Empty: leave them out. */
  readonly descriptors?: readonly string[] | undefined;
  /** Export `_start` instead of `_initialize`: the guest ends when `main` returns. */
  readonly command?: boolean | undefined;
  /** No optimization, and names in stack traces. */
  readonly debug?: boolean | undefined;
  /** The folder that packages are looked up from and paths are relative to; by default the current one. */
  readonly baseDir?: string | undefined;
  /** Is told the compiler's warnings, if there are any. */
  readonly onWarnings?: ((warnings: string) => void) | undefined;
  /** More options for asc. */
  readonly ascOptions?: readonly string[] | undefined;
}

/**
 * Compiles a guest, checks that it imports only the ABI, adds its manifest, writes it, and answers the module.
 *
 * Throws CompileError, ManifestError or ModuleError; each message says what to do.
 */
export async function buildGuest(options: BuildOptions): Promise<Uint8Array<ArrayBuffer>> {
  const { entry, outFile, exports = [], requires = [], command = false } = options;
  const manifest = await encodeManifest({
    name: options.name ?? "",
    version: options.version ?? "",
    exports,
    requires,
    descriptors: options.descriptors ?? (await defaultDescriptors(entry)),
  });
  const { wasm, warnings } = await compile({
    entry,
    command,
    serves: !command || exports.length > 0,
    baseDir: options.baseDir ?? ".",
    debug: options.debug ?? false,
    ascOptions: options.ascOptions ?? [],
  });
  if (warnings !== "") options.onWarnings?.(warnings);
  await checkImports(wasm);
  const guest = withSection(wasm, MANIFEST_SECTION, manifest);
  if (outFile !== undefined) {
    await mkdir(dirname(outFile), { recursive: true });
    await writeFile(outFile, guest);
  }
  return guest;
}

async function defaultDescriptors(entry: string): Promise<string[]> {
  const folder = join(dirname(entry), "gen");
  const info = await stat(folder).catch(() => undefined);
  return info?.isDirectory() === true ? [folder] : [];
}
