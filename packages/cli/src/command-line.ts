import { parseArgs } from "node:util";
import { LEVELS } from "./log-record.ts";
import type { LogsOptions } from "./logs.ts";

export const HELP = `dropthrough: WebAssembly guests that use real services

  dropthrough run [CONFIG] [--trace] [-- ARGUMENTS]   runs a deployment until its main guest has ended
  dropthrough check [CONFIG]                          finds what is wrong with it, without running it
  dropthrough graph [CONFIG] [--format FORMAT]        who calls whom, with which grants: text, mermaid or svg
  dropthrough inspect FILE.wasm [--json]              what a guest is, without running it
  dropthrough logs FILE [--tree] [--guest NAME] [--level LEVEL]
                                                      the lines of the log backend, for people

CONFIG is a file, or a folder with a dropthrough.config.{ts,js,mjs,json,yaml,toml}; the current folder if left out.
FILE of logs may be - for standard input; --tree puts records below the calls that they were written for.
--trace prints every call on standard error. ARGUMENTS go to the main guest. --help and --version do what they say.

Exit codes of run: 0-192 the main guest's own; 251 it has no entry, 252 its launch failed, 253 it trapped, 254 it panicked.
193 the deployment cannot be run (the reason is on standard error), 194 usage, 195 every guest waits and nothing can wake
one, 196 a bug of Dropthrough or a backend; 130, 143 ended by SIGINT, SIGTERM.
check, graph, inspect and logs: 0 good, 1 not, 194 usage, 196 a bug.
`;

/** What the command was told to do. */
export type Command =
  | { readonly name: "help" | "version" }
  | {
      readonly name: "run";
      readonly config: string | undefined;
      readonly trace: boolean;
      readonly args: readonly string[];
    }
  | { readonly name: "check"; readonly config: string | undefined }
  | { readonly name: "graph"; readonly config: string | undefined; readonly format: GraphFormat }
  | { readonly name: "inspect"; readonly file: string; readonly json: boolean }
  | { readonly name: "logs"; readonly file: string; readonly options: LogsOptions };

const FORMATS = ["text", "mermaid", "svg"] as const;

/** How a graph is drawn. */
export type GraphFormat = (typeof FORMATS)[number];

/** The command line makes no sense. The message says what does. */
export class UsageError extends Error {
  override name = "UsageError";
}

const OPTIONS = {
  trace: { type: "boolean" },
  json: { type: "boolean" },
  tree: { type: "boolean" },
  guest: { type: "string" },
  level: { type: "string" },
  format: { type: "string" },
  version: { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const;

/** The options that each command takes. */
const TAKES: ReadonlyMap<string, readonly string[]> = new Map([
  ["run", ["trace"]],
  ["check", []],
  ["graph", ["format"]],
  ["inspect", ["json"]],
  ["logs", ["tree", "guest", "level"]],
]);

/**
 * Reads a command line, without the program's own name.
 *
 * @throws UsageError if it makes no sense
 */
export function readCommandLine(argv: readonly string[]): Command {
  const split = argv.indexOf("--");
  const own = split < 0 ? argv : argv.slice(0, split);
  const args = split < 0 ? [] : argv.slice(split + 1);
  let parsed;
  try {
    parsed = parseArgs({ args: [...own], allowPositionals: true, options: OPTIONS });
  } catch (cause) {
    throw new UsageError((cause as Error).message, { cause });
  }
  const { values, positionals } = parsed;
  if (values.help === true) return { name: "help" };
  if (values.version === true) return { name: "version" };
  const [name, target, ...more] = positionals;
  if (name === undefined) throw new UsageError(`name a command: ${[...TAKES.keys()].join(", ")}`);
  const takes = TAKES.get(name);
  if (takes === undefined)
    throw new UsageError(`"${name}" is no command: there is ${[...TAKES.keys()].join(", ")}`);
  for (const option of Object.keys(values))
    if (!takes.includes(option)) throw new UsageError(`${name} takes no --${option}`);
  if (more.length > 0) {
    const hint = name === "run" ? ` (those of the guest come after --)` : "";
    throw new UsageError(`too many arguments: ${more.join(" ")}${hint}`);
  }
  if (name !== "run" && split >= 0)
    throw new UsageError(`${name} runs no guest: leave out what comes after --`);
  if (name === "run") return { name, config: target, trace: values.trace === true, args };
  if (name === "check") return { name, config: target };
  if (name === "logs") return readLogs(target, values);
  if (name === "graph") return { name, config: target, format: formatOf(values.format) };
  if (target === undefined) throw new UsageError("inspect needs a file: inspect FILE.wasm");
  return { name: "inspect", file: target, json: values.json === true };
}

function formatOf(format = "text"): GraphFormat {
  const known = FORMATS.find((one) => one === format);
  if (known === undefined)
    throw new UsageError(`"${format}" is no format of graph: there is ${FORMATS.join(", ")}`);
  return known;
}

function readLogs(
  file: string | undefined,
  { tree = false, guest, level }: { tree?: boolean; guest?: string; level?: string },
): Command {
  if (file === undefined)
    throw new UsageError("logs needs a file, or - for standard input: logs FILE");
  if (level !== undefined && !Object.hasOwn(LEVELS, level))
    throw new UsageError(`"${level}" is no level: there is ${Object.keys(LEVELS).join(", ")}`);
  const filters = { ...(guest !== undefined && { guest }), ...(level !== undefined && { level }) };
  return { name: "logs", file, options: { tree, ...filters } };
}
