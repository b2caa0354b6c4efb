// The program that the conformance runner starts: it passes what comes on standard input to the guest.
//
//   stdin, stdout:  length (4 bytes, little endian) │ ConformanceRequest or -Response │ length │ ...
import { readFileSync, readSync, writeSync } from "node:fs";
import { PlainHost } from "../plain-host.ts";

const METHOD = "conformance.TesteeService/Run";

const wasm = readFileSync(new URL("../build/testee.wasm", import.meta.url));
const host = new PlainHost();
host.acceptKernelCalls();
await host.start(await WebAssembly.compile(wasm));

for (;;) {
  const head = readExactly(4);
  if (head === undefined) break;
  const request = readExactly(new DataView(head.buffer).getUint32(0, true));
  if (request === undefined) break;
  const answer = await host.serve(METHOD, request);
  if (!(answer instanceof Uint8Array)) throw new Error(`the guest failed with code ${answer.code}`);
  const response = new Uint8Array(4 + answer.length);
  new DataView(response.buffer).setUint32(0, answer.length, true);
  response.set(answer, 4);
  for (let at = 0; at < response.length;) at += writeSync(1, response, at);
}

/** The next bytes of standard input; undefined at its end. */
function readExactly(length: number): Uint8Array<ArrayBuffer> | undefined {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length;) {
    const count = readSync(0, bytes, at, length - at, null);
    if (count === 0) return undefined;
    at += count;
  }
  return bytes;
}
