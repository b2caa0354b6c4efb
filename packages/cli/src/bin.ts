#!/usr/bin/env node
import { createReadStream } from "node:fs";
import { createRequire } from "node:module";
import type { Readable } from "node:stream";
import { ModuleError } from "@dropthrough/abi";
import { DEFAULT_LIMITS, GuestError, readModule } from "@dropthrough/host";
import { printable } from "@dropthrough/dispatch";
import { firstLine } from "./backend-packages.ts";
import { check } from "./check.ts";
import {
  type Command,
  type GraphFormat,
  HELP,
  readCommandLine,
  UsageError,
} from "./command-line.ts";
import { ConfigError } from "./config-error.ts";
import { type Config, loadConfig } from "./config.ts";
import {
  EXIT_BUG,
  EXIT_INTERRUPTED,
  EXIT_TERMINATED,
  EXIT_UNUSABLE,
  EXIT_USAGE,
} from "./exit-code.ts";
import { graph } from "./graph.ts";
import { inspect } from "./inspect.ts";
import { inspectionJson, inspectionText } from "./inspection-text.ts";
import { logs, type LogsOptions } from "./logs.ts";
import { run } from "./run.ts";
import { traceTo } from "./trace.ts";

// Whoever reads our output may leave (`| head`): that is no reason to fail, the guest's work goes on.
// (`process.stdout.destroyed` does not tell: Node takes that back.)
let unwritten: NodeJS.ErrnoException | undefined;
process.stdout.on("error", (error) => (unwritten ??= error));
process.stderr.on("error", () => {});
// A stray error of a backend or a configuration would end the process with 1, which is a guest's code.
process.on("uncaughtException", (error) => process.exit(bug(error)));

// The run has ended, and with it the process: what a library of a backend left open must not keep it.
process.exit(await main(process.argv.slice(2)).catch(bug));

async function main(argv: readonly string[]): Promise<number> {
  let command: Command | undefined;
  try {
    command = readCommandLine(argv);
    const code = await answer(command);
    // What guests print is theirs to look after: they are told by the file backend.
    return command.name === "run" ? code : await written(code);
  } catch (error) {
    const usersMistake =
      error instanceof UsageError ||
      error instanceof ConfigError ||
      error instanceof GuestError ||
      error instanceof ModuleError;
    if (!usersMistake) throw error;
    const usage = error instanceof UsageError;
    say(usage ? `${error.message} (see dropthrough --help)` : error.message);
    if (usage) return EXIT_USAGE;
    return command?.name === "run" ? EXIT_UNUSABLE : 1;
  }
}

/** Waits for our output to be written, and tells if it was not: a full disk must not look like success. */
async function written(code: number): Promise<number> {
  await new Promise<void>((resolve) => void process.stdout.write("", () => resolve()));
  if (unwritten === undefined || unwritten.code === "EPIPE") return code;
  say(`standard output cannot be written: ${firstLine(unwritten)}`);
  return 1;
}

async function answer(command: Command): Promise<number> {
  if (command.name === "run") return runCommand(command.config, command.args, command.trace);
  if (command.name === "check") return checkCommand(command.config);
  if (command.name === "graph") return graphCommand(command.config, command.format);
  if (command.name === "inspect") return inspectCommand(command.file, command.json);
  if (command.name === "logs") return logsCommand(command.file, command.options);
  process.stdout.write(command.name === "help" ? HELP : `${version()}\n`);
  return 0;
}

/** Loads a configuration, unless it waits for what can never come: Node would end with 13, which is a guest's code. */
async function load(target: string | undefined): Promise<Config> {
  const { promise: stuck, reject } = Promise.withResolvers<never>();
  const tell = (): void =>
    reject(
      new ConfigError(
        `the configuration ${target ?? "."} waits for a promise that nothing can settle: export what it is to be`,
      ),
    );
  process.once("beforeExit", tell);
  try {
    return await Promise.race([loadConfig(target), stuck]);
  } finally {
    process.off("beforeExit", tell);
  }
}

async function runCommand(
  target: string | undefined,
  args: readonly string[],
  trace: boolean,
): Promise<number> {
  const config = await load(target);
  const controller = new AbortController();
  let interrupted: number | undefined;
  const interrupt = (signal: NodeJS.Signals): void => {
    // A second signal, whichever it is, ends the process at once, as a user would expect.
    process.off("SIGINT", interrupt).off("SIGTERM", interrupt);
    interrupted = signal === "SIGINT" ? EXIT_INTERRUPTED : EXIT_TERMINATED;
    controller.abort();
  };
  process.on("SIGINT", interrupt).on("SIGTERM", interrupt);
  const observers = trace ? [traceTo(process.stderr)] : [];
  const code = await run(config, { args, observers, signal: controller.signal });
  // A signal that came while it closed has not ended it.
  return code === EXIT_INTERRUPTED ? (interrupted ?? code) : code;
}

async function checkCommand(target: string | undefined): Promise<number> {
  const findings = await check(await load(target));
  const errors = findings.filter((finding) => finding.level === "error").length;
  const lines = findings.map(({ level, message }) => printable(`${level}: ${message}`));
  lines.push(`${errors} errors, ${findings.length - errors} warnings`);
  process.stdout.write(`${lines.join("\n")}\n`);
  return errors === 0 ? 0 : 1;
}

async function graphCommand(target: string | undefined, format: GraphFormat): Promise<number> {
  const picture = await graph(await load(target), { format, warn: say });
  process.stdout.write(`${picture.trimEnd()}\n`);
  return 0;
}

async function inspectCommand(file: string, json: boolean): Promise<number> {
  let bytes;
  try {
    bytes = await readModule(file, DEFAULT_LIMITS.moduleBytes);
  } catch (error) {
    if (!(error instanceof ModuleError) || error.cause === undefined) throw error;
    say(`${file} cannot be read: ${firstLine(error.cause)}`);
    return 1;
  }
  const inspection = inspect(bytes);
  const text = json ? inspectionJson(inspection) : inspectionText(file, inspection);
  process.stdout.write(`${text}\n`);
  return 0;
}

async function logsCommand(file: string, options: LogsOptions): Promise<number> {
  const source: Readable = file === "-" ? process.stdin : createReadStream(file);
  // Whoever reads our output may have enough of it.
  process.stdout.once("close", () => source.destroy());
  try {
    await logs(source, linePrinter(), options);
  } catch (error) {
    if (unwritten !== undefined) return 0;
    say(`${file} cannot be read: ${firstLine(error)}`);
    return 1;
  }
  return 0;
}

/** Prints lines, and waits for a reader that is slow: once for all lines that it has no room for. */
function linePrinter(): (line: string) => void | Promise<void> {
  let room: Promise<void> | undefined;
  return (line) => {
    if (unwritten !== undefined || process.stdout.write(`${line}\n`)) return undefined;
    return (room ??= new Promise((resolve) => {
      const go = (): void => {
        process.stdout.off("drain", go).off("close", go);
        room = undefined;
        resolve();
      };
      process.stdout.on("drain", go).on("close", go);
    }));
  };
}

function version(): string {
  const own = createRequire(import.meta.url)("../package.json") as { version: string };
  return own.version;
}

function say(message: string): void {
  process.stderr.write(`dropthrough: ${printable(message)}\n`);
}

function bug(error: unknown): number {
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(
    `dropthrough: a bug of Dropthrough, a backend or the configuration:\n${printable(stack, "\n")}\n`,
  );
  return EXIT_BUG;
}
