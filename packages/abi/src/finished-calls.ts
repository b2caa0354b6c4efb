import type { Pending } from "./bound-method.ts";
import type { CallTable } from "./call-table.ts";
import type { PendingCall } from "./pending-call.ts";

/** A call that a guest made, and that is done. */
export interface Finished {
  /** Its number. */
  readonly number: number;
  readonly pending: Pending<unknown>;
}

/**
 * The finished calls that a guest which receives was not told of yet. Each call is in here once at most, so this is
 * bounded as the calls are.
 */
export class FinishedCalls {
  readonly #calls: CallTable;
  readonly #numbers = new Set<number>();
  readonly #listener: () => void;

  /** @param listener is called after each call that has finished */
  constructor(calls: CallTable, listener: () => void) {
    this.#calls = calls;
    this.#listener = listener;
    for (const call of calls.values())
      if (call.state === "pending" && call.over) this.#numbers.add(call.number);
  }

  /** A call is done. If the guest waits for it, it knows. */
  add(call: PendingCall): void {
    if (call.waited || this.#calls.get(call.number) !== call) return;
    this.#numbers.add(call.number);
    this.#listener();
  }

  /** The guest knows by itself. */
  drop(number: number): void {
    this.#numbers.delete(number);
  }

  /** The one that has been finished for the longest. */
  take(): Finished | undefined {
    for (const number of this.#numbers) {
      this.#numbers.delete(number);
      const call = this.#calls.get(number);
      if (call?.state === "pending") return { number, pending: call.pending };
    }
    return undefined;
  }
}
