import type { Backend } from "@dropthrough/dispatch";
import type { Scenario } from "./scenario.ts";
import { Stage } from "./stage.ts";

/** A seed on which a scenario does not hold. */
export class ScheduleError extends Error {
  override name = "ScheduleError";
  /** What happened up to then, one line each. */
  readonly trace: readonly string[];

  constructor(message: string, trace: readonly string[], cause: unknown) {
    super(message, { cause });
    this.trace = trace;
  }
}

/**
 * Plays a scenario in the order of one seed.
 *
 * @param kernel another kernel than the real one
 * @returns what happened, one line each, and the choices that the seed made
 * @throws ScheduleError if it does not hold
 */
export async function play(
  scenario: Scenario,
  seed: number,
  kernel?: () => Backend,
): Promise<readonly string[]> {
  const stage = new Stage(scenario, seed, kernel);
  try {
    await stage.play(scenario);
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new ScheduleError(message, stage.trace, cause);
  }
  return [...stage.trace, stage.schedule.choices.join(" ")];
}

/**
 * Plays it twice: the same seed does the same.
 *
 * @throws ScheduleError as `play`, and if the two runs differ
 */
export async function playTwice(scenario: Scenario, seed: number): Promise<void> {
  const first = await play(scenario, seed);
  const second = await play(scenario, seed);
  const at = first.findIndex((line, i) => line !== second[i]);
  if (at >= 0 || first.length !== second.length) {
    const lines = `"${first[at]}" and "${second[at]}"`;
    throw new ScheduleError(`the seed did not do the same twice: ${lines}`, first, undefined);
  }
}
