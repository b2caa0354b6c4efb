import type { Scheduler } from "@dropthrough/dispatch";
import { returnTrampoline } from "./return-trampoline.ts";
import { canSuspend, promising } from "./suspension.ts";

/** A function that a guest exports. */
export type Export = (...args: number[]) => unknown;

/** What is told how the run of an export came out. */
export interface Outcome {
  /** It has returned: at once, unless it was suspended. */
  readonly done: () => void;
  readonly failed: (error: unknown) => void;
}

/** Where a guest runs: whether it has a frame on the host's stack now, and whether what was entered last has returned. */
export class GuestStack {
  /** The guest has a frame on the host's stack: it may not be entered. */
  entered = false;
  #returned = false;
  readonly #clock: Scheduler;

  constructor(clock: Scheduler) {
    this.#clock = clock;
  }

  /** An export that may be suspended on its way. */
  suspendable(run: WebAssembly.ExportValue, parameters: number): Export {
    if (!canSuspend) return run as Export;
    return promising(returnTrampoline(run, parameters, () => (this.#returned = true)));
  }

  /** Runs an export. */
  enter(run: Export, args: readonly number[], { done, failed }: Outcome): void {
    let result: unknown;
    this.entered = true;
    this.#returned = false;
    try {
      result = run(...args);
    } catch (error) {
      failed(error);
      return;
    } finally {
      this.entered = false;
    }
    if (!(result instanceof Promise) || this.#returned) done();
    else this.#clock.settled(result, done, failed);
  }
}
