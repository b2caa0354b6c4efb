import { inMemory } from "@dropthrough/dispatch/testing";
import { redis, type RedisOptions } from "../src/index.ts";
import { b } from "./rules/rule.ts";

/**
 * A program that closes backends in the middle of whatever they do, one after the other. It says what each has left behind
 * that keeps a process from ending, as a line of JSON: what a test would count of its own process is its runner's too.
 */
const [one = "", hanging = "", ...nodes] = process.argv.slice(2);
const missing = "redis://127.0.0.1:1";
const cases: Record<string, RedisOptions> = {
  "a server": { url: one },
  "a server that hangs": { url: hanging },
  "a server that is not there": { url: missing },
  "a server with TLS that hangs": { url: hanging.replace("redis:", "rediss:") },
  "a cluster": { connections: { default: { cluster: nodes } } },
  "a cluster that hangs": { connections: { default: { cluster: [hanging, hanging] } } },
  "a cluster that is not there": { connections: { default: { cluster: [missing] } } },
  "sentinels that hang": {
    connections: { default: { sentinels: [hanging], url: "redis://mymaster" } },
  },
};
/** When it is closed, after the calls were made: so many microtasks later, or later still. */
const moments: Record<string, () => Promise<void>> = {
  "in the next turn": () => new Promise((resolve) => setImmediate(resolve)),
  "2 ms later": () => wait(2),
  "40 ms later": () => wait(40),
};
for (const count of [0, 1, 2, 4, 7, 11, 16, 22, 30]) {
  moments[`${count} microtasks later`] = async () => {
    for (let i = 0; i < count; i++) await Promise.resolve();
  };
}

const left: Record<string, string[]> = {};
for (const [name, options] of Object.entries(cases)) {
  const hangs = name.includes("hang");
  for (const warm of hangs ? [false] : [false, true]) {
    for (const [moment, come] of Object.entries(moments)) {
      if (hangs && /^[1-9]\d* micro/.test(moment)) continue;
      const before = alive();
      const backend = inMemory(redis({ ...options, connectTimeoutMs: 100, outageWaitMs: 100 }));
      const client = backend.client();
      const use = (): Promise<unknown> =>
        Promise.allSettled([
          client.get({ key: b("k") }),
          client.multiGet({ keys: [b("a"), b("b"), b("c")] }),
          client.watch({ keys: [b("k")] }),
          client.subscribe({ channels: [b("c")], patterns: [b("p*")] }),
          client.transaction({
            commands: [{ command: { case: "increment", value: { key: b("n") } } }],
          }),
        ]);
      if (warm) await use();
      const used = use();
      await come();
      await Promise.all([backend[Symbol.asyncDispose](), used]);
      // Deadlines are looked at together, and once in 20 ms.
      let more: string[] = [];
      for (let i = 0; i < 10 && (i === 0 || more.length > 0); i++) {
        await wait(5);
        more = alive();
        for (const kind of before) if (more.includes(kind)) more.splice(more.indexOf(kind), 1);
      }
      if (more.length > 0) left[`${name}, ${warm ? "in use, " : ""}${moment}`] = more;
    }
  }
}
console.log(JSON.stringify(left));
process.exit();

/** What keeps this process from ending. */
function alive(): string[] {
  return process.getActiveResourcesInfo();
}

async function wait(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}
