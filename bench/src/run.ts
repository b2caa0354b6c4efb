/**
 * Runs benchmarks: every `*.bench.ts` of the repository, no list anywhere.
 *
 *   node bench/src/run.ts [FILTER] [--json] [--rounds N] [--save]
 *
 * FILTER is a regular expression over the names of the cases. With `--json` it prints one array of results and nothing
 * else. With `--save` the figures go to bench/results/figures.json, which docs/PERFORMANCE.md is made from. It exits with 1 if a case could not run, or its bound does not hold, and says which.
 */
import { fork } from "node:child_process";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { findCases, type Found } from "./bench-files.ts";
import { type Figure, saveFigures } from "./figures.ts";
import { machine } from "./machine.ts";
import { PACE, type Result } from "./measure.ts";
import type { Answer } from "./run-case.ts";
import { row } from "./table.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: "boolean", default: false },
    save: { type: "boolean", default: false },
    rounds: { type: "string", default: String(PACE.rounds) },
    root: { type: "string" },
  },
});
const say = values.json ? () => {} : console.log;
const found = await findCases(new RegExp(positionals[0] ?? ""), values.root);
if (found.length === 0) throw new Error(`no case is named like ${positionals[0]}`);

const results: Result[] = [];
const figures: Figure[] = [];
const wrong: string[] = [];
say(`${machine()}\n`);
for (const it of found) {
  const answer = await runCase(it);
  if (answer === undefined) {
    wrong.push(`${it.maker.name}: it could not run`);
    continue;
  }
  const { measured, bound, what } = answer;
  results.push(measured.result);
  figures.push({
    ...measured.result,
    bound: bound.replace(/^ \(|\)$/g, ""),
    good: measured.missed === null,
    more: measured.more,
  });
  if (measured.missed !== null) wrong.push(measured.missed);
  say(row(measured, bound, what));
}
if (values.save) saveFigures(figures);
if (values.json) console.log(JSON.stringify(results, undefined, 2));
say(`\n${results.length} cases, ${wrong.length} not good enough`);
for (const sentence of wrong) console.error(sentence);
process.exitCode = wrong.length === 0 ? 0 : 1;

/** Measures a case: in one process, or in several of which the one with the median ratio counts. */
async function runCase(it: Found): Promise<Answer | undefined> {
  const answers: Answer[] = [];
  for (let i = 0; i < (it.maker.processes ?? 1); i++) {
    const answer = await runProcess(it);
    if (answer === undefined) return undefined;
    answers.push(answer);
  }
  const ratioOf = ({ measured }: Answer): number => measured.result.ratio ?? 0;
  return answers.toSorted((a, b) => ratioOf(a) - ratioOf(b))[answers.length >> 1];
}

/** Measures a case in a process of its own, whose output goes to standard error. */
async function runProcess({ file, maker }: Found): Promise<Answer | undefined> {
  const child = fork(join(import.meta.dirname, "run-case.ts"), [file, maker.name, values.rounds], {
    stdio: ["ignore", 2, 2, "ipc"],
  });
  let answer: Answer | undefined;
  child.on("message", (message) => (answer = message as Answer));
  return new Promise((resolve) => child.on("exit", () => resolve(answer)));
}
