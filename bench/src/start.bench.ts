import { fork } from "node:child_process";
import { join } from "node:path";
import type { CaseMaker, Sample } from "./case.ts";
import { collect } from "./garbage.ts";
import { bareInstance, idleHost } from "./start/idle-guest.ts";

/** A host that starts with so many instances, beside one that starts with one. */
const hosted: Sample = async (times) => {
  let took = 0;
  for (const [instances, sign] of [
    [1, -1],
    [times + 1, 1],
  ] as const) {
    collect();
    const start = process.hrtime.bigint();
    const host = await idleHost(instances);
    took += sign * Number(process.hrtime.bigint() - start);
    await host[Symbol.asyncDispose]();
  }
  return took;
};

const bare: Sample = (times) => {
  collect();
  const kept: unknown[] = [];
  const start = process.hrtime.bigint();
  for (let i = 0; i < times; i++) kept.push(bareInstance());
  return Number(process.hrtime.bigint() - start);
};

/** Each sample is a process of its own, since memory that was once resident tends to stay. */
const resident =
  (how: "host" | "bare"): Sample =>
  async (times) => {
    const child = fork(join(import.meta.dirname, "start/memory.ts"), [how, String(times)], {
      execArgv: ["--expose-gc"],
      stdio: ["ignore", 2, 2, "ipc"],
    });
    return new Promise((resolve, reject) => {
      child.on("message", (bytes) => resolve(bytes as number));
      child.on("exit", (code) => reject(new Error(`start/memory.ts ended with ${code}`)));
    });
  };

const cases: readonly CaseMaker[] = [
  {
    name: "start.instance",
    make: async () => ({
      what: "new WebAssembly.Instance of the same 30 KB module",
      times: 200,
      atMost: 1.5,
      subject: hosted,
      baseline: bare,
    }),
  },
  {
    name: "start.memory",
    make: async () => ({
      what: "instances without a host",
      unit: "B",
      times: 1000,
      atMost: 1.3,
      subject: resident("host"),
      baseline: resident("bare"),
    }),
  },
];

export default cases;
