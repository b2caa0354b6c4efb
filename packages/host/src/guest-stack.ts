import type { Scheduler } from "@dropthrough/dispatch";
import { askReturned, type Seat, takeSeat } from "./return-trampoline.ts";
import { canSuspend } from "./suspension.ts";

/** A function that a guest exports. */
export type Export = (...args: number[]) => unknown;

/** Where a guest runs: whether it has a frame on the host's stack now, and what of it may be entered. */
export class GuestStack {
  /** The guest has a frame on the host's stack: it may not be entered. */
  entered = false;
  readonly #seats: Seat[] = [];
  readonly #clock: Scheduler;
  readonly #failed: (error: unknown) => void;

  /** @param failed is told what an export threw, at once or after it was suspended */
  constructor(clock: Scheduler, failed: (error: unknown) => void) {
    this.#clock = clock;
    this.#failed = failed;
  }

  /** An export that may be suspended on its way. */
  suspendable(run: WebAssembly.ExportValue, parameters: 0 | 3): Export {
    if (!canSuspend) return run as Export;
    const seat = takeSeat(run, parameters);
    this.#seats.push(seat);
    return seat.run;
  }

  /** Nothing of the guest is entered any more. */
  close(): void {
    for (const seat of this.#seats.splice(0)) seat.leave();
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
    let result: unknown;
    let returned = false;
    askReturned();
    try {
      result = run(a, b, c);
      returned = askReturned();
    } catch (error) {
      this.entered = false;
      this.#failed(error);
      return null;
    }
    this.entered = false;
    return result instanceof Promise && !returned ? result : undefined;
  }

  /** Calls `done` when what was suspended has returned. */
  after(suspended: Promise<unknown>, done: () => void): void {
    this.#clock.settled(suspended, done, this.#failed);
  }
}
