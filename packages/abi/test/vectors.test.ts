import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { type AbiLimits, ConnectError, type Reply } from "../src/index.ts";
import { ProxyGuest } from "./proxy-guest.ts";

type Ending = string | { code: number; message: string };
interface Step {
  put?: Record<string, string>;
  bind?: number[];
  call?: number[];
  wait?: number[];
  read?: number[];
  reply?: number[];
  release?: number[];
  grow?: number;
  incoming?: string;
  number?: number;
  leave?: number;
  replied?: Ending;
  settle?: Ending;
  answer?: number;
  writes?: Record<string, string>;
}
interface Vectors {
  limits: AbiLimits;
  cases: { name: string; steps: Step[] }[];
}

const file = new URL("../fixtures/vectors.json", import.meta.url);
const { limits, cases } = JSON.parse(readFileSync(file, "utf8")) as Vectors;
const bytesOf = (hex: string): Uint8Array<ArrayBuffer> => Uint8Array.from(Buffer.from(hex, "hex"));

test.each(cases)("$name", async ({ steps }) => {
  const guest = new ProxyGuest(limits);
  let left: ((code: number) => void) | undefined;
  let reply: Reply | undefined;
  for (const step of steps) {
    for (const [at, hex] of Object.entries(step.put ?? {}))
      guest.bytes.set(bytesOf(hex), Number(at));
    if (step.grow !== undefined) guest.run("grow", [step.grow]);
    if (step.leave !== undefined) left?.(step.leave);
    const before = guest.bytes.slice();
    if (step.incoming !== undefined) {
      const incoming = guest.endpoint.accept(bytesOf(step.incoming), (answer) => (reply = answer));
      left = (code) => incoming.leave(code);
      expect(incoming.number).toBe(step.number);
    }
    for (const name of ["bind", "call", "read", "reply", "release"] as const) {
      const args = step[name];
      if (args !== undefined) expect(guest.run(name, args), JSON.stringify(step)).toBe(step.answer);
    }
    if (step.wait !== undefined) {
      const waiting = guest.wait(step.wait);
      if (step.settle !== undefined) settle(guest, step.settle);
      expect(await waiting, JSON.stringify(step)).toBe(step.answer);
    } else if (step.settle !== undefined) settle(guest, step.settle);
    if (step.replied !== undefined) expect(endingOf(reply)).toEqual(step.replied);
    for (const [at, hex] of Object.entries(step.writes ?? {})) before.set(bytesOf(hex), Number(at));
    // What was not to be written is as it was: the whole memory is compared.
    expect(Buffer.compare(guest.bytes, before), `memory after ${JSON.stringify(step)}`).toBe(0);
  }
});

function settle(guest: ProxyGuest, ending: Ending): void {
  const open = guest.open.shift();
  if (open === undefined) throw new Error("no call of Later is open");
  if (typeof ending === "string") open.resolve(bytesOf(ending));
  else open.reject(new ConnectError(ending.message, ending.code));
}

function endingOf(reply: Reply | undefined): Ending | undefined {
  if (reply === undefined) return undefined;
  if (reply.ok) return Buffer.from(reply.body as Uint8Array).toString("hex");
  return { code: reply.error.code, message: reply.error.rawMessage };
}
