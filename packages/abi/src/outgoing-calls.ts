import { ConnectError } from "@connectrpc/connect";
import type { BoundMethod, Pending, PendingListener } from "./bound-method.ts";
import type { CallTable, ParkedCall } from "./call-table.ts";
import { Code, isCode } from "./code.ts";
import type { EndpointOptions } from "./endpoint.ts";
import { FinishedCalls } from "./finished-calls.ts";
import type { GuestMemory } from "./guest-memory.ts";
import { parkedWord, pendingWord } from "./result-word.ts";
import { encodeStatus } from "./status.ts";

/** An outgoing call that is not done, or is and has not been collected. */
export class PendingCall implements PendingListener<unknown> {
  readonly state = "pending";
  /** Its number, by the table. */
  number = 0;
  readonly method: BoundMethod;
  readonly pending: Pending<unknown>;
  /** It is done. */
  over = false;
  response: unknown;
  error: ConnectError | undefined;
  /** Where its response goes: as `call` said, and then `wait`. */
  resPtr: number;
  resCap: number;
  /** The guest waits, or has waited, for it. */
  waited = false;
  resolve: ((word: number | Promise<never>) => void) | undefined;
  readonly #calls: OutgoingCalls;

  constructor(
    calls: OutgoingCalls,
    method: BoundMethod,
    pending: Pending<unknown>,
    resPtr: number,
    resCap: number,
  ) {
    this.#calls = calls;
    this.method = method;
    this.pending = pending;
    this.resPtr = resPtr;
    this.resCap = resCap;
    this.response = this.error = this.resolve = undefined;
  }

  done(response: unknown): void {
    this.over = true;
    this.response = response;
    this.#calls.ended(this);
  }

  failed(error: unknown): void {
    this.over = true;
    this.error = this.#calls.errorOf(error);
    this.#calls.ended(this);
  }
}

/**
 * The calls that a guest made and that are not collected: how they end, and how they are waited for.
 *
 * ```text
 *  pend ─▶ pending ─┬─ wait, or deliver ─▶ the response in memory, or parked
 *                   └─ release ─▶ cancelled
 * ```
 */
export class OutgoingCalls {
  readonly #calls: CallTable;
  readonly #memory: GuestMemory;
  readonly #options: EndpointOptions;
  /** Done, and to be delivered to a guest with an event loop: from `#delivered` on. An array that is emptied gives its memory back. */
  readonly #finished: (PendingCall | undefined)[] = [];
  #finishedCount = 0;
  #delivered = 0;
  #untold: FinishedCalls | undefined;
  /** The number of the call that the guest waited for last. */
  #waited = 0;
  #unwinding: { readonly reason: unknown } | undefined;

  constructor(calls: CallTable, memory: GuestMemory, options: EndpointOptions) {
    this.#calls = calls;
    this.#memory = memory;
    this.#options = options;
  }

  /** `Endpoint.waiting` */
  get waiting(): Pending<unknown> | undefined {
    const call = this.#calls.get(this.#waited);
    return call?.state === "pending" && call.waited && !call.over ? call.pending : undefined;
  }

  /** `Endpoint.finishedCalls` */
  finishedCalls(listener: () => void): FinishedCalls {
    return (this.#untold ??= new FinishedCalls(this.#calls, listener));
  }

  /** Writes a response to the guest's buffer, or parks it under `number` (0: a new one). */
  finish(
    number: number,
    method: BoundMethod,
    response: unknown,
    resPtr: number,
    resCap: number,
  ): number {
    const { responseBytes, parkedBytes } = this.#options.limits;
    const most = Math.min(resCap, responseBytes);
    const length = method.write(response, this.#memory.bytes, resPtr, resPtr + most);
    if (length >= 0) {
      if (number !== 0) this.#calls.delete(number);
      return length;
    }
    const body = method.encode(response);
    if (body.length > responseBytes) {
      throw new ConnectError(
        `the response of ${method.name} has ${body.length} bytes, above the limit of ${responseBytes}: ask for less at a time`,
        Code.ResourceExhausted,
      );
    }
    // Of a call that is done at once this was looked at before it was made.
    if (number !== 0 && this.#calls.parkedBytes > parkedBytes) {
      throw new ConnectError(
        `there is no room for the response of ${method.name}: responses of more than ${parkedBytes} bytes wait to be read already: release some`,
        Code.ResourceExhausted,
      );
    }
    return this.#keep(number, 0, body);
  }

  /** Parks the Status of a failure under `number` (0: a new one). */
  park(number: number, error: unknown): number {
    const failure = this.errorOf(error);
    let body: Uint8Array;
    try {
      body = encodeStatus(failure);
    } catch (cause) {
      body = encodeStatus(new ConnectError(failure.rawMessage, failure.code));
      this.#options.incident(cause);
    }
    return this.#keep(number, failure.code, body);
  }

  #keep(number: number, code: number, body: Uint8Array): number {
    const parked: ParkedCall = { state: "parked", number, code, body };
    if (number !== 0) this.#calls.set(number, parked);
    // A call that came in meanwhile has taken the last place: an answer that cannot be kept is no success.
    else if (this.#calls.full) return parkedWord(0, code === 0 ? Code.ResourceExhausted : code);
    else number = this.#calls.add(parked);
    return parkedWord(number, code);
  }

  /** Takes in a call that is not done. */
  pend(method: BoundMethod, pending: Pending<unknown>, resPtr: number, resCap: number): number {
    const call = new PendingCall(this, method, pending, resPtr, resCap);
    const number = this.#calls.add(call);
    pending.settle(call);
    return pendingWord(number);
  }

  /** A call is done. */
  ended(call: PendingCall): void {
    const { resolve } = call;
    if (resolve !== undefined) {
      call.resolve = undefined;
      // What unwinds the guest is thrown into it.
      try {
        resolve(this.leave(this.#collect(call)));
      } catch (reason) {
        resolve(Promise.reject(reason));
      }
    }
    this.#untold?.add(call);
    if (this.#options.finished === undefined || this.#calls.get(call.number) !== call) return;
    this.#finished[this.#finishedCount++] = call;
    this.#options.finished();
  }

  /** `Endpoint.wait` */
  wait(number: number, resPtr: number, resCap: number): number | Promise<number> {
    const call = this.#calls.get(number);
    if (call?.state === "parked") return this.leave(parkedWord(number, call.code));
    if (call?.state !== "pending") return this.leave(parkedWord(0, Code.NotFound));
    this.#untold?.drop(number);
    const loops = this.#options.finished !== undefined;
    if (!call.over && loops) return this.leave(parkedWord(0, Code.FailedPrecondition));
    resPtr >>>= 0;
    resCap >>>= 0;
    // The buffer that the call has stays its own: the response may be delivered there.
    if (call.over && !this.#memory.holds(resPtr, resCap))
      return this.leave(parkedWord(0, Code.OutOfRange));
    call.resPtr = resPtr;
    call.resCap = resCap;
    if (call.over) return this.leave(this.#outcome(call));
    this.#waited = number;
    call.waited = true;
    return new Promise((resolve) => {
      call.resolve = resolve;
    });
  }

  /** `Endpoint.refuseWait` */
  refuseWait(number: number, reason: ConnectError): number {
    const call = this.#calls.get(number);
    if (call?.state === "pending") call.pending.cancel();
    return this.leave(
      call === undefined ? parkedWord(0, Code.NotFound) : this.park(number, reason),
    );
  }

  #collect(call: PendingCall): number {
    if (this.#calls.get(call.number) !== call) return parkedWord(0, Code.NotFound);
    // The call keeps its number and its outcome: the guest can wait again with a buffer that exists.
    if (!this.#memory.holds(call.resPtr, call.resCap)) return parkedWord(0, Code.OutOfRange);
    return this.#outcome(call);
  }

  #outcome(call: PendingCall): number {
    const { number, method, response, error } = call;
    if (error !== undefined) return this.park(number, error);
    try {
      return this.finish(number, method, response, call.resPtr, call.resCap);
    } catch (failure) {
      return this.park(number, failure);
    }
  }

  /** `Endpoint.deliver` */
  deliver(): { readonly call: number; readonly word: number } | undefined {
    while (this.#delivered < this.#finishedCount) {
      const call = this.#finished[this.#delivered];
      this.#finished[this.#delivered++] = undefined;
      if (call === undefined || this.#calls.get(call.number) !== call) continue;
      return { call: call.number, word: this.#outcome(call) };
    }
    this.#finishedCount = this.#delivered = 0;
    return undefined;
  }

  /** `Endpoint.release`, of a call that is not incoming. */
  release(number: number): number {
    const call = this.#calls.get(number);
    if (call === undefined || call.state === "incoming") return -Code.NotFound;
    this.#calls.delete(number);
    this.#untold?.drop(number);
    if (call.state === "pending") call.pending.cancel();
    return 0;
  }

  /** `Endpoint.unwind` */
  unwind(reason: unknown, now: boolean): void {
    this.#unwinding ??= { reason };
    if (!now) return;
    for (const call of this.#calls.values()) if (call.state === "pending") call.pending.cancel();
  }

  /** Lets the guest go on with a word, unless it is to end: then it is unwound. */
  leave(word: number): number {
    if (this.#unwinding !== undefined) throw this.#unwinding.reason;
    return word;
  }

  errorOf(error: unknown): ConnectError {
    if (error instanceof ConnectError && isCode(error.code)) return error;
    return new ConnectError(
      `internal error; the operator's log has it as ${this.#options.incident(error)}`,
      Code.Internal,
    );
  }
}
