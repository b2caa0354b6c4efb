/**
 * Runs benchmarks: every `*.bench.ts` of the repository, no list anywhere.
 *
 *   node bench/src/run.ts [FILTER] [--json]
 *
 * FILTER is a regular expression over the names of the cases. With `--json` it prints one array of results and nothing else.
 */
import { globSync } from "node:fs";
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import type { CaseMaker } from "./case.ts";
import { measure, type Result } from "./measure.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: "boolean" } },
});
const filter = new RegExp(positionals[0] ?? "");
const root = new URL("../..", import.meta.url).pathname;
const files = globSync("{bench,packages/*,packages/*/*}/**/*.bench.ts", {
  cwd: root,
  exclude: (path) => path.includes("node_modules"),
});

const results: Result[] = [];
let missed = 0;
if (values.json !== true)
  console.log(
    `${cpus()[0]?.model ?? "?"}, ${cpus().length} cores, Node ${process.versions.node}\n`,
  );
for (const file of files.toSorted()) {
  const { default: makers } = (await import(`${root}${file}`)) as { default: readonly CaseMaker[] };
  for (const maker of makers.filter((m) => filter.test(m.name))) {
    const it = { name: maker.name, ...(await maker.make()) };
    const result = await measure(it);
    await it.close?.();
    results.push(result);
    const good = it.atMost === undefined || result.ratio === null || result.ratio <= it.atMost;
    if (!good) missed++;
    if (values.json !== true) console.log(row(result, it.atMost, good, it.what));
  }
}
if (values.json === true) console.log(JSON.stringify(results, undefined, 2));
else console.log(`\n${results.length} cases, ${missed} above their ratio`);
process.exitCode = missed === 0 ? 0 : 1;

function row(
  { name, median, min, max, ratio, baselineMedian }: Result,
  atMost: number | undefined,
  good: boolean,
  what: string,
): string {
  const figures =
    `${name.padEnd(24)} ${ns(median)} (${ns(min).trim()} to ${ns(max).trim()})`.padEnd(64);
  if (ratio === null) return `${figures} ${what}`;
  const limit = atMost === undefined ? "" : ` (at most ${atMost})${good ? "" : " ✗"}`;
  return `${figures} ${ratio.toPrecision(3)} of ${ns(baselineMedian ?? 0).trim()}${limit}  ${what}`;
}

function ns(value: number): string {
  return value < 10_000
    ? `${value.toFixed(1).padStart(8)} ns`
    : `${(value / 1000).toFixed(1).padStart(8)} µs`;
}
