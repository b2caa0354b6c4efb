/**
 * Counts the instructions of a call and compares them with the committed figures: a guard that noise cannot break.
 *
 *   node bench/src/guard/guard.ts [NAME ...] [--write]
 *
 * It exits with 1 if a call takes over 10 percent more than was committed. With `--write` it commits nothing, but
 * writes what is to be committed. Where there is no valgrind to count with (macOS), the cases have to keep twice the
 * ratio that they have to reach.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { makersOf } from "../bench-files.ts";
import { measure } from "../measure.ts";
import { countInstructions } from "./count.ts";
import { GUARDED } from "./plan.ts";
import { findValgrind } from "./valgrind.ts";
import { verdict } from "./verdict.ts";

const FILE = join(import.meta.dirname, "../../results/guard.json");

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { write: { type: "boolean", default: false } },
});
const names = positionals.length > 0 ? positionals : GUARDED;
const good = process.platform === "linux" ? await byInstructions() : await byRatios();
process.exitCode = good ? 0 : 1;

async function byInstructions(): Promise<boolean> {
  findValgrind();
  const counted = await countInstructions(names);
  if (values.write) {
    writeFileSync(FILE, `${JSON.stringify(Object.fromEntries(counted), undefined, 2)}\n`);
    console.log(`wrote ${FILE}: commit it`);
    return true;
  }
  const committed = JSON.parse(readFileSync(FILE, "utf8")) as Record<string, number>;
  const verdicts = [...counted].map(([name, figure]) => verdict(name, figure, committed[name]));
  for (const { line } of verdicts) console.log(line);
  return verdicts.every((one) => one.good);
}

async function byRatios(): Promise<boolean> {
  const makers = await makersOf(join(import.meta.dirname, "../call.bench.ts"));
  let held = true;
  for (const maker of makers.filter((one) => names.includes(one.name))) {
    const it = { name: maker.name, ...(await maker.make()) };
    const { missed, result } = await measure({ ...it, atMost: 2 * (it.atMost ?? 0) });
    await it.close?.();
    console.log(missed ?? `${it.name}: ${result.ratio?.toPrecision(3)} of ${it.what}`);
    held &&= missed === null;
  }
  return held;
}
