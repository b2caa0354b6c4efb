import { readFileSync } from "node:fs";
import type { Writable } from "node:stream";
import { createHost } from "@dropthrough/host";
import { log } from "@dropthrough/log";
import loadWabt from "wabt";

/** Assembles hello.wat, runs it, and answers its exit code. */
export async function hello(stream?: Writable): Promise<number> {
  const wabt = await loadWabt();
  const source = readFileSync(new URL("hello.wat", import.meta.url), "utf8");
  const module = new Uint8Array(wabt.parseWat("hello.wat", source).toBinary({}).buffer);
  await using host = createHost({
    backends: [log({ ...(stream && { stream }) })],
    guests: [{ name: "hello", module, grants: ["dropthrough.log.v1.LogService/Write"] }],
  });
  await host.start();
  const { code } = await host.exited;
  return code;
}

if (import.meta.main) process.exitCode = await hello();
