import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { componentEmbed, componentNew, transpile } from "@bytecodealliance/jco";
import type { Sample } from "../case.ts";
import { clocked, echoGuest, type Glue, REQUEST, RESPONSE } from "./echo-guest.ts";

const WIT = `
package bench:echo;
interface host { echo: func(data: list<u8>) -> list<u8>; }
world guest { import host; export run: func(times: u32); }`;

/** The canonical ABI: the host asks the guest for room, and leaves pointer and length of the answer at 1024. */
const glue = (size: number): Glue => ({
  imports: `(import "bench:echo/host" "echo" (func $host (param i32 i32 i32)))`,
  echo: `
    (call $host (i32.const ${REQUEST}) (i32.const ${size}) (i32.const 1024))
    (if (i32.ne (i32.load (i32.const 1028)) (i32.const ${size})) (then unreachable))`,
  exports: `
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const ${RESPONSE}))
    (export "run" (func $run))`,
});

/** What jco makes of a component. */
interface Transpiled {
  readonly instantiate: (
    core: (path: string) => Promise<WebAssembly.Module>,
    imports: Record<string, Record<string, (data: Uint8Array) => unknown>>,
  ) => Promise<{ readonly run: (times: number) => void | Promise<void> }>;
}

/** Echoes from a component: at once, or with JSPI through a promise that is resolved. */
export async function jcoEcho(size: number, how: "sync" | "jspi"): Promise<Sample> {
  const binary = await componentEmbed({
    binary: echoGuest(size, glue(size)),
    witSource: WIT,
    world: "guest",
  });
  const { files } = await transpile(await componentNew(binary), {
    name: `echo-${how}-${size}`,
    instantiation: "async",
    ...(how === "jspi" && {
      asyncMode: "jspi",
      asyncImports: ["bench:echo/host#echo"],
      asyncExports: ["run"],
    }),
  });
  const folder = join(import.meta.dirname, "../../build/jco", how, String(size));
  for (const [name, bytes] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), bytes);
  }
  const { instantiate } = (await import(join(folder, `echo-${how}-${size}.js`))) as Transpiled;
  const core = async (path: string): Promise<WebAssembly.Module> =>
    new WebAssembly.Module(new Uint8Array(files[path] ?? []));
  const echo = how === "sync" ? (data: Uint8Array) => data : async (data: Uint8Array) => data;
  const { run } = await instantiate(core, { "bench:echo/host": { echo } });
  return async (times) => clocked(async () => run(times));
}
