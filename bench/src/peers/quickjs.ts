import { getQuickJS } from "quickjs-emscripten";
import type { Sample } from "../case.ts";
import { clocked } from "./echo-guest.ts";

/** The same guest in JavaScript, since that is what QuickJS runs: bytes cross as ArrayBuffers. */
const guest = (size: number): string => `
  const request = new Uint8Array(${size}).fill(7);
  globalThis.run = (times) => {
    for (let n = times; n > 0; n--) {
      request[${size - 1}] = n;
      const response = new Uint8Array(echo(request.buffer));
      if (response.length !== ${size} || response[${size - 1}] !== (n & 255)) throw new Error("no echo");
    }
  };`;

/** Echoes from a guest in QuickJS. */
export async function quickjsEcho(size: number): Promise<Sample> {
  const context = (await getQuickJS()).newContext();
  const echo = context.newFunction("echo", (data) => {
    const bytes = context.getArrayBuffer(data);
    const copy = bytes.value.slice();
    bytes.dispose();
    return context.newArrayBuffer(copy.buffer);
  });
  context.setProp(context.global, "echo", echo);
  context.unwrapResult(context.evalCode(guest(size))).dispose();
  const run = context.getProp(context.global, "run");
  return async (times) =>
    clocked(() => {
      const count = context.newNumber(times);
      context.unwrapResult(context.callFunction(run, context.undefined, count)).dispose();
      count.dispose();
    });
}
