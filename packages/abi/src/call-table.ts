import type { ConnectError } from "@connectrpc/connect";
import type { BoundMethod, Pending } from "./bound-method.ts";
import { MAX_CALL_NUMBER } from "./result-word.ts";

/** A call that the host holds for one guest instance. */
export type HeldCall = PendingCall | ParkedCall | IncomingCall;

/** An outgoing call that is not done. */
export interface PendingCall {
  readonly state: "pending";
  readonly method: BoundMethod;
  readonly pending: Pending<unknown>;
  /** Set while the guest waits for it: called when the call is done. */
  wake: (() => void) | undefined;
  outcome: Outcome | undefined;
}

/** How an outgoing call ended. */
export type Outcome =
  | { readonly ok: true; readonly response: unknown }
  | { readonly ok: false; readonly error: ConnectError };

/** A body that waits to be read: a response that did not fit, or the Status of a failure. */
export interface ParkedCall {
  readonly state: "parked";
  /** 0, or the code of the Status. */
  readonly code: number;
  readonly body: Uint8Array;
}

/** A call that this instance is to answer. */
export interface IncomingCall {
  readonly state: "incoming";
  readonly body: Uint8Array;
  /** Answers the caller. */
  readonly answer: (reply: Reply) => void;
  /** Set when the caller has gone: the code that it left with. */
  gone: number | undefined;
}

/** What a guest replied. */
export type Reply =
  | { readonly ok: true; readonly body: Uint8Array }
  | { readonly ok: false; readonly error: ConnectError };

/**
 * The calls of one guest instance by number. Numbers start at 1 and are not used again before all
 * others were, so a stale number is NOT_FOUND and hardly ever somebody else's call.
 */
export class CallTable {
  readonly #held = new Map<number, HeldCall>();
  readonly #most: number;
  #last = 0;
  /** Bytes of all parked bodies. */
  parkedBytes = 0;
  /** How many of the calls are incoming. */
  incoming = 0;

  constructor(most: number) {
    this.#most = Math.min(most, MAX_CALL_NUMBER);
  }

  /** Whether there is no room for one more. */
  get full(): boolean {
    return this.#held.size >= this.#most;
  }

  get size(): number {
    return this.#held.size;
  }

  values(): Iterable<HeldCall> {
    return this.#held.values();
  }

  entries(): Iterable<[number, HeldCall]> {
    return this.#held.entries();
  }

  get(number: number): HeldCall | undefined {
    return this.#held.get(number);
  }

  /** Takes a call in; the caller has made sure that there is room. */
  add(call: HeldCall): number {
    do this.#last = this.#last === MAX_CALL_NUMBER ? 1 : this.#last + 1;
    while (this.#held.has(this.#last));
    this.set(this.#last, call);
    return this.#last;
  }

  /** Puts a call in the place of another. */
  set(number: number, call: HeldCall): void {
    this.delete(number);
    this.#held.set(number, call);
    if (call.state === "parked") this.parkedBytes += call.body.length;
    if (call.state === "incoming") this.incoming++;
  }

  delete(number: number): void {
    const call = this.#held.get(number);
    if (call?.state === "parked") this.parkedBytes -= call.body.length;
    if (call?.state === "incoming") this.incoming--;
    this.#held.delete(number);
  }

  /** Takes all calls out, for a guest that is gone. */
  clear(): HeldCall[] {
    const all = [...this.#held.values()];
    this.#held.clear();
    this.parkedBytes = 0;
    this.incoming = 0;
    return all;
  }
}
