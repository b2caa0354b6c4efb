#!/usr/bin/env node
import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { ModuleError } from "@dropthrough/abi";
import { GuestError } from "@dropthrough/host";
import { check } from "./check.ts";
import { ConfigError, loadConfig } from "./config.ts";
import { describeInspection, inspect } from "./inspect.ts";
import { run } from "./run.ts";
import { traceTo } from "./trace.ts";

const HELP = `dropthrough: WebAssembly guests that use real services

  dropthrough run [CONFIG] [--trace] [-- ARGUMENTS]   runs a deployment until its main guest has ended
  dropthrough check [CONFIG]                          finds what is wrong with it, without running it
  dropthrough inspect FILE.wasm [--json]              what a guest is, without running it

CONFIG is a file, or a folder with a dropthrough.config.{ts,js,json,yaml,toml}; the current folder if left out.

Exit codes of run: 0-192 the main guest's own; 251 it has no entry, 253 it trapped, 254 it panicked.
193 the deployment cannot be run (the reason is on standard error), 194 usage; 130, 143 interrupted.
check and inspect: 0 good, 1 not, 194 usage.
`;

/** The deployment cannot be run, or the module is no guest. Outside of 0-192, which are the guest's own. */
const EXIT_UNUSABLE = 193;
const EXIT_USAGE = 194;

// The run has ended, and with it the process: what a library of a backend left open must not keep it.
process.exit(await main(process.argv.slice(2)));

async function main(argv: string[]): Promise<number> {
  const split = argv.indexOf("--");
  const own = split < 0 ? argv : argv.slice(0, split);
  const args = split < 0 ? [] : argv.slice(split + 1);
  let parsed;
  try {
    parsed = parseArgs({
      args: own,
      allowPositionals: true,
      options: {
        trace: { type: "boolean" },
        json: { type: "boolean" },
        help: { type: "boolean", short: "h" },
      },
    });
  } catch (error) {
    return usage((error as Error).message);
  }
  const { values, positionals } = parsed;
  const [command, target, ...more] = positionals;
  if (values.help === true) {
    process.stdout.write(HELP);
    return 0;
  }
  if (more.length > 0) return usage(`too many arguments: ${more.join(" ")}`);
  try {
    if (command === "run") return await runCommand(target, args, values.trace === true);
    if (command === "check") return await checkCommand(target);
    if (command === "inspect" && target !== undefined)
      return await inspectCommand(target, values.json === true);
  } catch (error) {
    if (!isUsersMistake(error)) throw error;
    process.stderr.write(`dropthrough: ${error.message}\n`);
    return command === "run" ? EXIT_UNUSABLE : 1;
  }
  return usage(
    command === undefined
      ? "name a command"
      : `"${[command, target].join(" ").trim()}" is no command`,
  );
}

/** What a user can mend, as against a bug. */
function isUsersMistake(error: unknown): error is Error {
  return (
    error instanceof ConfigError ||
    error instanceof GuestError ||
    error instanceof ModuleError ||
    error instanceof TypeError ||
    (error instanceof Error && "code" in error && typeof error.code === "string")
  );
}

async function runCommand(
  target: string | undefined,
  args: readonly string[],
  trace: boolean,
): Promise<number> {
  const config = await loadConfig(target);
  const controller = new AbortController();
  let interrupted = 0;
  for (const [name, code] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const) {
    process.once(name, () => {
      interrupted = code;
      controller.abort();
    });
  }
  const observers = trace ? [traceTo(process.stderr)] : [];
  const code = await run(config, { args, observers, signal: controller.signal });
  return interrupted === 0 ? code : interrupted;
}

async function checkCommand(target: string | undefined): Promise<number> {
  const findings = await check(await loadConfig(target));
  for (const { level, message } of findings) process.stdout.write(`${level}: ${message}\n`);
  const errors = findings.filter((finding) => finding.level === "error").length;
  process.stdout.write(`${errors} errors, ${findings.length - errors} warnings\n`);
  return errors === 0 ? 0 : 1;
}

async function inspectCommand(target: string, json: boolean): Promise<number> {
  const inspection = inspect(await readFile(target));
  process.stdout.write(
    `${json ? JSON.stringify(inspection, undefined, 2) : describeInspection(target, inspection)}\n`,
  );
  return 0;
}

function usage(message: string): number {
  process.stderr.write(`dropthrough: ${message}\n\n${HELP}`);
  return EXIT_USAGE;
}
