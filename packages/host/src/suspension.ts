import { Code, ConnectError } from "@connectrpc/connect";

/** WebAssembly.Suspending and promising of JSPI, which the type library does not know yet. */
interface Jspi {
  readonly Suspending: new (run: (...args: number[]) => unknown) => WebAssembly.ImportValue;
  readonly promising: (run: unknown) => (...args: number[]) => Promise<void>;
}

const jspi: Jspi | undefined =
  "Suspending" in WebAssembly && "promising" in WebAssembly
    ? (WebAssembly as unknown as Jspi)
    : undefined;

/** Whether this engine can suspend a guest in its own thread (JSPI): Node 24.20 and newer, Chrome 137 and newer. */
export const canSuspend: boolean = jspi !== undefined;

/** An import that may suspend the guest: where the engine can, any promise that it answers is awaited. */
export function suspending(run: (...args: number[]) => unknown): WebAssembly.ImportValue {
  return jspi === undefined ? run : new jspi.Suspending(run);
}

/** An export that may be suspended: a promise where the engine can, else the plain export. */
export function promising(run: unknown): (...args: number[]) => Promise<void> | void {
  return jspi === undefined ? (run as (...args: number[]) => void) : jspi.promising(run);
}

/** What a guest that would have to be suspended is told where it cannot be. */
export function cannotSuspend(): ConnectError {
  return new ConnectError(
    "this call is not done yet, and this host cannot make a guest wait: run it on Node 24.20 or newer, or use a backend that answers at once",
    Code.Unimplemented,
  );
}
