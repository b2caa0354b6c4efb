import type { ConnectError } from "@connectrpc/connect";
import type { AbiLimits } from "./limits.ts";
import type { Passage } from "./passage.ts";
import type { PendingCall } from "./pending-call.ts";
import { MAX_CALL_NUMBER } from "./result-word.ts";

/** A call that the host holds for one guest instance. */
export type HeldCall = PendingCall | ParkedCall | IncomingCall;

/** A body that waits to be read: a response that did not fit, or the Status of a failure. */
export interface ParkedCall {
  readonly state: "parked";
  /** Its number, by the table. */
  number: number;
  /** 0, or the code of the Status. */
  readonly code: number;
  readonly body: Uint8Array;
}

/** A call that this instance is to answer. */
export interface IncomingCall {
  readonly state: "incoming";
  /** Its number, by the table. */
  number: number;
  /** The request, or the passage that it stands in. */
  body: Uint8Array | Passage;
  /** Answers the caller. */
  answer(reply: Reply): void;
  /** Set when the caller has gone: the code that it left with. */
  gone: number | undefined;
}

/** What a guest replied. */
export type Reply =
  /** The bytes; or how many there are, where they went into the caller's buffer at once. */
  | { readonly ok: true; readonly body: Uint8Array | number }
  | { readonly ok: false; readonly error: ConnectError };

/** How many places a table begins with. A power of 2. */
const PLACES = 64;

/**
 * The calls of one guest instance by number, which each of them has with it. Numbers start at 1 and ascend; none is used again before all
 * others were, so a stale number is NOT_FOUND and hardly ever somebody else's call.
 *
 * ```text
 *  number 66 of 64 places:   place  0     1     2 (66 & 63)    ...   63
 *                                 │    │     │ 66, its call │       │    │
 * ```
 *
 * A number whose place is taken is left out. At most half of the places are, so that this is rare.
 */
export class CallTable {
  readonly #most: number;
  #calls: (HeldCall | undefined)[] = Array<undefined>(PLACES).fill(undefined);
  #last = 0;
  #size = 0;
  /** Bytes of all parked bodies. */
  parkedBytes = 0;
  /** Bytes of what pending calls hold: their requests, and what they have come to where that is kept as bytes. */
  pendingBytes = 0;
  /** How many pending calls are done, and have what they came to as it is. */
  held = 0;
  /** How many of the calls are incoming. */
  incoming = 0;
  /** Bytes of their requests. */
  incomingBytes = 0;

  constructor(most: number) {
    this.#most = Math.min(most, MAX_CALL_NUMBER);
  }

  /** Whether there is no room for one more. */
  get full(): boolean {
    return this.#size >= this.#most;
  }

  /** Whether there is no room for what one more might hold. */
  isFull(limits: Pick<AbiLimits, "parkedBytes" | "pendingBytes">): boolean {
    return (
      this.full || this.parkedBytes > limits.parkedBytes || this.pendingBytes > limits.pendingBytes
    );
  }

  get size(): number {
    return this.#size;
  }

  /** Every call, the oldest number first. */
  values(): HeldCall[] {
    // Counted from the number that is next.
    const age = ({ number }: HeldCall): number => (number - this.#last - 1) & MAX_CALL_NUMBER;
    return this.#calls.filter((call) => call !== undefined).toSorted((a, b) => age(a) - age(b));
  }

  get(number: number): HeldCall | undefined {
    const call = this.#calls[number & (this.#calls.length - 1)];
    return call !== undefined && call.number === number ? call : undefined;
  }

  /** Takes a call in; the caller has made sure that there is room. */
  add(call: HeldCall): number {
    if (this.#size * 2 >= this.#calls.length) this.#grow();
    let number = this.#last;
    do number = number === MAX_CALL_NUMBER ? 1 : number + 1;
    while (this.#calls[number & (this.#calls.length - 1)] !== undefined);
    this.#last = number;
    this.#put(number, call);
    return number;
  }

  /** Puts a call in the place of another. */
  set(number: number, call: HeldCall): void {
    this.delete(number);
    this.#put(number, call);
  }

  #put(number: number, call: HeldCall): void {
    call.number = number;
    this.#calls[number & (this.#calls.length - 1)] = call;
    this.#size++;
    if (call.state === "pending") this.pendingBytes += call.bytes;
    else if (call.state === "parked") this.parkedBytes += call.body.length;
    else {
      this.incoming++;
      this.incomingBytes += call.body.length;
    }
  }

  /** A pending call that is in it is done, and has what it came to as it is, which is not counted in bytes. */
  hold(call: PendingCall): void {
    call.held = true;
    this.held++;
    this.charge(call, 0);
  }

  /** So many bytes are held for a pending call that is in it. */
  charge(call: PendingCall, bytes: number): void {
    this.pendingBytes += bytes - call.bytes;
    call.bytes = bytes;
  }

  delete(number: number): void {
    const call = this.get(number);
    if (call !== undefined) this.remove(call);
  }

  /** Takes out a call that is in it. */
  remove(call: HeldCall): void {
    this.#calls[call.number & (this.#calls.length - 1)] = undefined;
    this.#size--;
    if (call.state === "pending") {
      this.pendingBytes -= call.bytes;
      if (call.held) this.held--;
    } else if (call.state === "parked") this.parkedBytes -= call.body.length;
    else {
      this.incoming--;
      this.incomingBytes -= call.body.length;
    }
  }

  /** Takes all calls out, for a guest that is gone. */
  clear(): HeldCall[] {
    const all = this.values();
    this.#calls.fill(undefined);
    this.#size = this.parkedBytes = this.pendingBytes = this.held = 0;
    this.incoming = this.incomingBytes = 0;
    return all;
  }

  /** Two calls that had two places have two places in a table twice as large. */
  #grow(): void {
    const all = this.values();
    this.#calls = Array<undefined>(this.#calls.length * 2).fill(undefined);
    for (const call of all) this.#calls[call.number & (this.#calls.length - 1)] = call;
  }
}
