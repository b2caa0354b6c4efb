import { parseArgs } from "node:util";
import type { BuildOptions } from "./build-guest.ts";

/** The command line is wrong; the message says how. */
export class UsageError extends Error {
  override name = "UsageError";
}

/** What `dropthrough-as --help` prints. */
export const USAGE: string = `Usage: dropthrough-as <entry.ts> --out <guest.wasm> [flags] [-- asc flags]

Compiles an AssemblyScript guest. The entry exports main(): void, which runs when the guest starts.

  -o, --out <file>        where to write the module
      --name <name>       the guest's name, such as words.facade
      --version <text>    the guest's version
      --exports <names>   services that it serves, separated by commas; may be repeated
      --requires <names>  services that it calls, separated by commas; may be repeated
      --descriptors <at>  file or folder with *.descriptors.txt; may be repeated (default: gen beside the entry)
      --no-descriptors    leave the descriptors out of the manifest
      --command           export _start instead of _initialize: the guest ends when main returns
      --debug             no optimization, names in stack traces
      --base-dir <dir>    where packages are looked up from (default: here)
  -h, --help              this text
`;

/** Reads the command line; undefined means that help was asked for. Throws UsageError. */
export function parseCommandLine(args: readonly string[]): BuildOptions | undefined {
  const dashes = args.indexOf("--");
  const own = dashes < 0 ? args : args.slice(0, dashes);
  const { values, positionals } = parse(own);
  if (values.help === true) return undefined;
  const [entry, ...more] = positionals;
  if (entry === undefined)
    throw new UsageError("which guest? Name its entry, such as assembly/index.ts");
  if (more.length > 0) throw new UsageError(`one entry at a time; what is "${more.join(" ")}"?`);
  if (values.out === undefined) throw new UsageError("where to? Say --out build/guest.wasm");
  return {
    entry,
    outFile: values.out,
    name: values.name,
    version: values.version,
    exports: list(values.exports),
    requires: list(values.requires),
    descriptors: values["no-descriptors"] === true ? [] : values.descriptors,
    command: values.command,
    debug: values.debug,
    baseDir: values["base-dir"],
    ascOptions: dashes < 0 ? [] : args.slice(dashes + 1),
  };
}

interface Flags {
  readonly out?: string;
  readonly name?: string;
  readonly version?: string;
  readonly exports?: string[];
  readonly requires?: string[];
  readonly descriptors?: string[];
  readonly "no-descriptors"?: boolean;
  readonly command?: boolean;
  readonly debug?: boolean;
  readonly "base-dir"?: string;
  readonly help?: boolean;
}

function parse(args: readonly string[]): { values: Flags; positionals: string[] } {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        out: { type: "string", short: "o" },
        name: { type: "string" },
        version: { type: "string" },
        exports: { type: "string", multiple: true },
        requires: { type: "string", multiple: true },
        descriptors: { type: "string", multiple: true },
        "no-descriptors": { type: "boolean" },
        command: { type: "boolean" },
        debug: { type: "boolean" },
        "base-dir": { type: "string" },
        help: { type: "boolean", short: "h" },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function list(values: readonly string[] | undefined): string[] {
  return (values ?? [])
    .flatMap((value) => value.split(",").map((name) => name.trim()))
    .filter(Boolean);
}
