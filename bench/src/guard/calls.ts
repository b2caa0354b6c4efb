/**
 * What the guard counts: calls of a case, in marked stretches.
 *
 *   node bench/src/guard/calls.ts FOLDER NAME ...
 *
 * It warms everything up, says `ready` by a file in FOLDER, waits for the file `go` there, and makes the calls. Each
 * stretch begins and ends with a look at the parent's process id, which is the mark that valgrind knows it by.
 */
import { existsSync, writeFileSync } from "node:fs";
import { flushCompileCache } from "node:module";
import { join } from "node:path";
import { makersOf } from "../bench-files.ts";
import type { Sample } from "../case.ts";
import { CALLS, MARK_ENDS, STRETCHES, WARM } from "./plan.ts";

const [folder = "", ...names] = process.argv.slice(2);
const makers = await makersOf(join(import.meta.dirname, "../call.bench.ts"));
const samples: Sample[] = [];
for (const name of names) {
  const made = await makers.find((maker) => maker.name === name)?.make();
  if (made === undefined) throw new Error(`there is no case named ${name}`);
  samples.push(made.subject);
}
for (let i = 0; i < 5; i++) for (const sample of samples) await sample(WARM / 5);
flushCompileCache();
writeFileSync(join(folder, "ready"), "");
// Not asleep: valgrind hears what it is told only while something runs.
while (!existsSync(join(folder, "go")));
for (const sample of samples) {
  for (let i = 0; i < STRETCHES; i++) {
    mark();
    await sample(CALLS);
  }
}
for (let i = 0; i < MARK_ENDS; i++) mark();
process.exit(0);

function mark(): number {
  return process.ppid;
}
