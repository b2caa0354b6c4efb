import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { median } from "../measure.ts";
import { CALLS, MARK_ENDS, STRETCHES } from "./plan.ts";

/** One thread and no chance: the engine compiles and collects at the same calls in every run. */
const ENGINE = ["--predictable", "--single-threaded"];
const PROGRAM = join(import.meta.dirname, "calls.ts");
const LONGEST_MS = 300_000;

/**
 * Counts the instructions of one call of each case, under valgrind: a number that other work on the machine cannot
 * change. Valgrind counts only from the moment when everything is warm; before that it would take five times as long.
 *
 * @throws Error if the calls fail or cannot be counted
 */
export async function countInstructions(names: readonly string[]): Promise<Map<string, number>> {
  const folder = mkdtempSync(join(tmpdir(), "dropthrough-guard-"));
  try {
    const env = { ...process.env, NODE_COMPILE_CACHE: join(folder, "cache") };
    // Once without valgrind: what it compiles from source then is there at once.
    writeFileSync(join(folder, "go"), "");
    const plain = spawnSync(process.execPath, [...ENGINE, PROGRAM, folder, ...names], {
      env,
      encoding: "utf8",
      timeout: LONGEST_MS,
    });
    if (plain.status !== 0) throw new Error(`the calls failed:\n${plain.stderr}`);
    for (const file of ["go", "ready"]) rmSync(join(folder, file));
    await counted(folder, names, env);
    return figures(folder, names);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function counted(
  folder: string,
  names: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<void> {
  const pipes = `--vgdb-prefix=${join(folder, "vgdb")}`;
  const options = [
    "--tool=callgrind",
    "--instr-atstart=no",
    "--smc-check=all-non-file",
    // What `process.ppid` ends in: every look at it begins a new file of counts.
    "--dump-before=uv_os_getppid",
    `--callgrind-out-file=${join(folder, "counts")}`,
    pipes,
  ];
  const child = spawn(
    "valgrind",
    [...options, process.execPath, ...ENGINE, PROGRAM, folder, ...names],
    { env, stdio: ["ignore", "pipe", "pipe"], timeout: LONGEST_MS },
  );
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => (said += chunk.toString()));
  const ended = once(child, "exit");
  while (!existsSync(join(folder, "ready"))) {
    if (child.exitCode !== null || child.signalCode !== null)
      throw new Error(`valgrind ended early:\n${said}`);
    await sleep(20);
  }
  const on = spawnSync("vgdb", [pipes, `--pid=${child.pid}`, "instrumentation", "on"], {
    encoding: "utf8",
  });
  if (on.status !== 0) child.kill("SIGKILL");
  writeFileSync(join(folder, "go"), "");
  const [status] = (await ended) as [number | null];
  if (on.status !== 0) throw new Error(`valgrind does not listen:\n${on.stderr}`);
  if (status !== 0) throw new Error(`the calls failed under valgrind:\n${said}`);
}

/** File 1 is what was counted before the first mark; then each is a stretch. */
function figures(folder: string, names: readonly string[]): Map<string, number> {
  const files = readdirSync(folder).filter((file) => /^counts\.\d+$/.test(file));
  const stretches = names.length * STRETCHES;
  if (files.length !== stretches + MARK_ENDS)
    throw new Error(
      `${files.length} counts for ${stretches} stretches: is Node built without symbols?`,
    );
  const total = (i: number): number => {
    const text = readFileSync(join(folder, `counts.${i}`), "utf8");
    return Number(/^totals: (\d+)/m.exec(text)?.[1]);
  };
  return new Map(
    names.map((name, n) => {
      const own = Array.from({ length: STRETCHES }, (_, i) => total(2 + n * STRETCHES + i));
      return [name, Math.round(median(own) / CALLS)];
    }),
  );
}
