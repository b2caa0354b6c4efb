import type { Scheduler } from "@dropthrough/dispatch";
import { returnTrampoline } from "./return-trampoline.ts";
import { canSuspend, promising } from "./suspension.ts";

/** A function that a guest exports. */
export type Export = (...args: number[]) => unknown;

/** Where a guest runs: whether it has a frame on the host's stack now, and whether what was entered last has returned. */
export class GuestStack {
  /** The guest has a frame on the host's stack: it may not be entered. */
  entered = false;
  #returned = false;
  readonly #clock: Scheduler;
  readonly #failed: (error: unknown) => void;

  /** @param failed is told what an export threw, at once or after it was suspended */
  constructor(clock: Scheduler, failed: (error: unknown) => void) {
    this.#clock = clock;
    this.#failed = failed;
  }

  /** An export that may be suspended on its way. */
  suspendable(run: WebAssembly.ExportValue, parameters: number): Export {
    if (!canSuspend) return run as Export;
    return promising(returnTrampoline(run, parameters, () => (this.#returned = true)));
  }

  /** Runs an export of up to two parameters. `done` is called when it has returned: at once, unless it was suspended. */
  enter(run: Export, a: number, b: number, done: () => void): void {
    const suspended = this.run(run, a, b, 0);
    if (suspended === undefined) done();
    else if (suspended !== null) this.after(suspended, done);
  }

  /** Runs an export: undefined if it has returned, null if it threw, a promise if it was suspended. */
  run(run: Export, a: number, b: number, c: number): Promise<unknown> | null | undefined {
    this.entered = true;
    this.#returned = false;
    let result: unknown;
    try {
      result = run(a, b, c);
    } catch (error) {
      this.entered = false;
      this.#failed(error);
      return null;
    }
    this.entered = false;
    return result instanceof Promise && !this.#returned ? result : undefined;
  }

  /** Calls `done` when what was suspended has returned. */
  after(suspended: Promise<unknown>, done: () => void): void {
    this.#clock.settled(suspended, done, this.#failed);
  }
}
