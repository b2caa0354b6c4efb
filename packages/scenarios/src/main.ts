/**
 * Plays the scenarios in many legal orders: `pnpm test:schedules`.
 *
 *   --seeds N       on so many seeds; 2,000 if left out
 *   --full          on every seed, also those that are long
 *   --scenario X    only that one
 *   --seed N        only on that seed, and tell what happens
 *   --mutant X      with a kernel that is broken on purpose
 *   --report FILE   writes how many passed and failed, as JSON
 *
 * The last line is `N passed, N failed`, counted in scenarios. A failing seed is printed with the command that replays it.
 */
import { writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";
import { mutants } from "./mutants.ts";
import { play, ScheduleError } from "./play.ts";
import type { Scenario } from "./scenario.ts";
import { scenarios } from "./scenarios/index.ts";
import type { Outcome, Task } from "./worker.ts";

/** Seeds of one task: enough to be worth a message, few enough to keep all workers busy to the end. */
const TASK = 100;

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "2000" },
    full: { type: "boolean", default: false },
    scenario: { type: "string" },
    seed: { type: "string" },
    mutant: { type: "string" },
    report: { type: "string" },
  },
});
const { mutant } = values;
const wanted = scenarios.filter(({ name }) => [name, undefined].includes(values.scenario));
const asked = Number(values.seed ?? values.seeds);
if (!Number.isSafeInteger(asked) || (values.seed === undefined && asked < 1)) {
  console.error("--seeds and --seed take a whole number");
  process.exitCode = 2;
} else if (wanted.length === 0 || (mutant !== undefined && mutants[mutant] === undefined)) {
  const names = scenarios.map(({ name }) => name).join(", ");
  console.error(`there is no such scenario or mutant: the scenarios are ${names}`);
  process.exitCode = 2;
} else {
  const failed =
    values.seed === undefined
      ? await playMany(wanted, Number(values.seeds))
      : await playOne(wanted, Number(values.seed));
  console.log(`${wanted.length - failed} passed, ${failed} failed`);
  const count = { passed: wanted.length - failed, failed };
  if (values.report !== undefined) writeFileSync(values.report, JSON.stringify(count));
  process.exitCode = failed === 0 ? 0 : 1;
}

/** One seed, with its trace; answers how many scenarios failed. */
async function playOne(chosen: readonly Scenario[], seed: number): Promise<number> {
  let failed = 0;
  for (const scenario of chosen) {
    console.log(`── ${scenario.name}: ${scenario.claim}`);
    try {
      const trace = await play(scenario, seed, mutant === undefined ? undefined : mutants[mutant]);
      console.log(trace.slice(0, -1).join("\n"));
    } catch (error) {
      if (!(error instanceof ScheduleError)) throw error;
      failed++;
      console.log(error.trace.join("\n"));
      console.log(error.cause);
      tell(scenario.name, seed, error.message);
    }
  }
  return failed;
}

/** Many seeds, on all cores; answers how many scenarios failed. */
async function playMany(chosen: readonly Scenario[], seeds: number): Promise<number> {
  const tasks: Task[] = chosen.flatMap(({ name }) =>
    Array.from({ length: Math.ceil(seeds / TASK) }, (_, i) => ({
      scenario: name,
      from: i * TASK,
      to: Math.min(seeds, (i + 1) * TASK),
      full: values.full,
    })),
  );
  const started = performance.now();
  const outcomes: Outcome[] = [];
  const workers = Math.min(availableParallelism(), tasks.length);
  await Promise.all(Array.from({ length: workers }, async () => work(tasks, outcomes)));
  let failed = 0;
  for (const { name } of chosen) {
    const own = outcomes.filter((outcome) => outcome.scenario === name);
    const failures = own
      .flatMap(({ failure }) => failure ?? [])
      .toSorted((a, b) => a.seed - b.seed);
    const played = own.reduce((sum, outcome) => sum + outcome.played, 0);
    const [first] = failures;
    if (first === undefined) console.log(`${name}: ${played} seeds`);
    else {
      failed++;
      tell(name, first.seed, first.message);
    }
  }
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`${seeds} seeds, ${seconds} s on ${workers} cores`);
  return failed;
}

/** One worker, until no task is left. */
async function work(tasks: Task[], outcomes: Outcome[]): Promise<void> {
  const worker = new Worker(new URL("worker.ts", import.meta.url), {
    workerData: { mutant },
    resourceLimits: { maxYoungGenerationSizeMb: 64 },
  });
  try {
    await new Promise<void>((resolve, reject) => {
      const next = (): void => {
        const task = tasks.shift();
        if (task === undefined) resolve();
        else worker.postMessage(task, []);
      };
      worker.on("error", reject);
      worker.on("message", (outcome: Outcome) => {
        outcomes.push(outcome);
        next();
      });
      next();
    });
  } finally {
    await worker.terminate();
  }
}

function tell(scenario: string, seed: number, message: string): void {
  const more = mutant === undefined ? "" : ` --mutant ${mutant}`;
  console.log(`${scenario}: seed ${seed} failed: ${message}`);
  console.log(`  replay: pnpm test:schedules --scenario ${scenario} --seed ${seed}${more}`);
}
