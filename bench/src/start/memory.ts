/**
 * Makes idle instances, and sends its parent what each of them adds to the resident memory of the process, in bytes.
 *
 *   node --expose-gc bench/src/start/memory.ts host|bare COUNT
 */
import { bareInstance, idleHost } from "./idle-guest.ts";

const [how, count = "0"] = process.argv.slice(2);
const kept: unknown[] = [];
const make = async (instances: number): Promise<void> => {
  if (how === "host") kept.push(await idleHost(instances));
  else for (let i = 0; i < instances; i++) kept.push(bareInstance());
};
// What comes once, with the first of them, is not theirs.
await make(10);
await settle();
const before = process.memoryUsage.rss();
await make(Number(count));
await settle();
process.send?.(process.memoryUsage.rss() - before, () => process.exit(0));

/** Collects what nobody holds, and lets what was freed be given back. */
async function settle(): Promise<void> {
  for (let i = 0; i < 4; i++) {
    globalThis.gc?.();
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
