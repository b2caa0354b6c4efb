import { mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import { dirname, join, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { entrySource } from "./entry-source.ts";
import { RUNTIME } from "./source-text.ts";

/** What to compile. */
export interface CompileOptions {
  /** The guest's module, which exports `main(): void`. */
  readonly entry: string;
  /** Whether the guest serves calls, and so exports `dropthrough_v1_serve`. */
  readonly serves: boolean;
  /** A command (`_start`, ends when `main` returns) instead of a reactor (`_initialize`, stays). */
  readonly command: boolean;
  /** The folder that paths in messages are relative to, and that packages are looked up from. */
  readonly baseDir: string;
  /** Names for functions and no optimization. */
  readonly debug: boolean;
  /** More options for asc. */
  readonly ascOptions: readonly string[];
}

/** The guest's source does not compile; the message is asc's own report. */
export class CompileError extends Error {
  override name = "CompileError";
}

/** Every import of the library lands in this very package, linked or not: what compiles must fit the compiler. */
const OWN_FILE =
  /(?:^|[\\/])node_modules[\\/]@dropthrough[\\/]assemblyscript[\\/](assembly[\\/.].*)$/;

const ENTRY = "dropthrough-entry.ts";

/** What came of a compilation. */
export interface Compiled {
  readonly wasm: Uint8Array<ArrayBuffer>;
  /** The compiler's warnings; empty if there are none. */
  readonly warnings: string;
}

/**
 * Compiles a guest in this process.
 *
 * Fails with CompileError if the source has errors.
 */
export async function compile(options: CompileOptions): Promise<Compiled> {
  // The compiler takes most of a second to load; who only made a typing error need not wait for it.
  const { main: asc } = await import("assemblyscript/asc");
  const baseDir = resolve(options.baseDir);
  const module = relative(baseDir, resolve(options.entry))
    .replaceAll(sep, "/")
    .replace(/\.ts$/, "");
  const entry = entrySource({ module, serves: options.serves, command: options.command });
  let wasm: Uint8Array<ArrayBuffer> | undefined;
  let report = "";
  const stream = { write: (text: string | Uint8Array): void => void (report += String(text)) };
  const { error } = await asc(ascArguments(options, baseDir), {
    stdout: stream,
    stderr: stream,
    readFile: async (name, base) => (name === ENTRY ? entry : readSource(name, base)),
    writeFile: async (name, contents, base) => {
      if (name === "guest.wasm" && typeof contents !== "string") wasm = new Uint8Array(contents);
      else await writeSource(resolve(base, name), contents);
    },
    listFiles: async (name, base) =>
      (await readdir(join(base, name)).catch(() => [])).filter((file) => file.endsWith(".ts")),
  });
  if (error !== null || wasm === undefined) {
    throw new CompileError(explain(report.trim(), options.entry));
  }
  return { wasm, warnings: report.trim() };
}

function ascArguments(options: CompileOptions, baseDir: string): string[] {
  return [
    ENTRY,
    "--outFile=guest.wasm",
    `--baseDir=${baseDir}`,
    ...(options.debug ? ["--debug"] : ["--optimizeLevel=3"]),
    "--runtime=incremental",
    `--exportStart=${options.command ? "_start" : "_initialize"}`,
    `--use=abort=~lib/${RUNTIME}/abort/abort`,
    "--noColors",
    ...options.ascOptions,
  ];
}

async function readSource(name: string, base: string): Promise<string | null> {
  const own = OWN_FILE.exec(name)?.[1];
  const path =
    own === undefined
      ? resolve(base, name)
      : fileURLToPath(new URL(`../${own.replaceAll("\\", "/")}`, import.meta.url));
  return readFile(path, "utf8").catch(() => null);
}

async function writeSource(path: string, contents: string | Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, contents);
}

/** asc's report, with a hint where its own words do not lead to the mistake. */
function explain(report: string, entry: string): string {
  if (/has no exported member 'main'/.test(report)) {
    return `${entry} must export the function that runs the guest: export function main(): void { ... }`;
  }
  if (/dropthrough-entry\.ts/.test(report) && /File '.*' not found/.test(report)) {
    return `${entry} cannot be read\n${report}`;
  }
  return report;
}
