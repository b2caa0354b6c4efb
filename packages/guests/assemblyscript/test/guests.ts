import { readFileSync } from "node:fs";
import { PlainHost } from "./plain-host.ts";

/** A guest that `build-guests.ts` built. */
export function guestModule(name: string): Promise<WebAssembly.Module> {
  return WebAssembly.compile(readFileSync(new URL(`build/${name}.wasm`, import.meta.url)));
}

/** A host whose kernel says yes, with a guest that has started. */
export async function startGuest(
  name: string,
  prepare?: (host: PlainHost) => void,
): Promise<PlainHost> {
  const host = new PlainHost();
  host.acceptKernelCalls();
  prepare?.(host);
  await host.start(await guestModule(name));
  return host;
}
