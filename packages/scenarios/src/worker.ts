import { parentPort, workerData } from "node:worker_threads";
import { mutants } from "./mutants.ts";
import { play, playTwice, ScheduleError } from "./play.ts";
import { scenarios } from "./scenarios/index.ts";

/** What a worker plays: a scenario on the seeds `from` up to, but not including, `to`. */
export interface Task {
  readonly scenario: string;
  readonly from: number;
  readonly to: number;
  /** On every seed, whatever the scenario's `every`. */
  readonly full: boolean;
}

/** What came of it. */
export interface Outcome extends Task {
  readonly played: number;
  /** The first seed that failed, and why. */
  readonly failure: { readonly seed: number; readonly message: string } | undefined;
}

/** So often a seed is played twice, to see that it does the same. */
const TWICE = 20;

// A seed that fails is played again with stacks; all others need none.
Error.stackTraceLimit = 0;
const { mutant } = workerData as { readonly mutant: string | undefined };
parentPort?.on("message", (task: Task) => {
  void playAll(task).then((outcome) => parentPort?.postMessage(outcome, []));
});

async function playAll(task: Task): Promise<Outcome> {
  const scenario = scenarios.find((one) => one.name === task.scenario);
  let played = 0;
  if (scenario !== undefined) {
    for (let seed = task.from; seed < task.to; seed++) {
      if (!task.full && seed % (scenario.every ?? 1) !== 0) continue;
      try {
        if (mutant !== undefined) await play(scenario, seed, mutants[mutant]);
        else if (played % TWICE === 0) await playTwice(scenario, seed);
        else await play(scenario, seed);
        played++;
      } catch (error) {
        if (!(error instanceof ScheduleError)) throw error;
        return { ...task, played, failure: { seed, message: error.message } };
      }
    }
  }
  return { ...task, played, failure: undefined };
}
