/**
 * Measures one case in a process of its own and sends its parent what it came to: what ran before it in other cases
 * has changed nothing that the engine knows of it.
 *
 *   node bench/src/run-case.ts FILE NAME ROUNDS
 */
import { makersOf } from "./bench-files.ts";
import { measure, PACE, type Measured } from "./measure.ts";
import { boundOf } from "./table.ts";

/** What the parent hears. */
export interface Answer {
  readonly measured: Measured;
  readonly bound: string;
  readonly what: string;
}

const [file = "", name = "", rounds = String(PACE.rounds)] = process.argv.slice(2);
const maker = (await makersOf(file)).find((one) => one.name === name);
if (maker === undefined) throw new Error(`${file} makes no case named ${name}`);
const it = { name, ...(await maker.make()) };
const measured = await measure(it, { ...PACE, rounds: Number(rounds) });
await it.close?.();
const answer: Answer = { measured, bound: boundOf(it), what: it.what };
process.send?.(answer, () => process.exit(0));
