/**
 * Writes a CPU profile of a case, for Chrome's developer tools or an editor, and prints where its time goes.
 *
 *   node bench/src/profile.ts CASE [--baseline]
 *
 * It profiles the subject, or its baseline. What is warmed up before is not in it.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { Session } from "node:inspector/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { findCases } from "./bench-files.ts";
import { type CpuProfile, selfTimes } from "./self-times.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { baseline: { type: "boolean", default: false } },
});
const [name = ""] = positionals;
const [found] = (await findCases(/(?:)/)).filter(({ maker }) => maker.name === name);
if (found === undefined) throw new Error(`no case is named ${name}: \`pnpm bench\` lists them`);
const it = await found.maker.make();
const sample = values.baseline ? it.baseline : it.subject;
if (sample === undefined) throw new Error(`${name} has no baseline`);

const session = new Session();
session.connect();
await session.post("Profiler.enable");
await session.post("Profiler.setSamplingInterval", { interval: 100 });
await run(1000);
await session.post("Profiler.start");
await run(2000);
const { profile } = await session.post("Profiler.stop");
await it.close?.();

const folder = join(import.meta.dirname, "../build/profiles");
mkdirSync(folder, { recursive: true });
const file = join(folder, `${name}${values.baseline ? ".baseline" : ""}.cpuprofile`);
writeFileSync(file, JSON.stringify(profile));
console.log(file);
for (const { where, share } of selfTimes(profile as CpuProfile).slice(0, 20))
  console.log(`${(share * 100).toFixed(1).padStart(5)} %  ${where}`);
process.exit(0);

/** Runs the case for so many milliseconds, in slices. */
async function run(forMs: number): Promise<void> {
  const until = performance.now() + forMs;
  for (let count = it.times ?? 64; performance.now() < until;) {
    const start = performance.now();
    await sample?.(count);
    if (it.times === undefined && performance.now() - start < 5) count *= 2;
  }
}
