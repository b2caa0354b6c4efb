import { ConnectError } from "@connectrpc/connect";
import type { BoundMethod, Pending } from "./bound-method.ts";
import type { CallTable, ParkedCall } from "./call-table.ts";
import { Code, isCode } from "./code.ts";
import type { EndpointOptions } from "./endpoint.ts";
import { FinishedCalls } from "./finished-calls.ts";
import type { GuestMemory } from "./guest-memory.ts";
import { type Kept, PendingCall } from "./pending-call.ts";
import { parkedWord, pendingWord } from "./result-word.ts";
import { encodeStatus } from "./status.ts";

/** So many outcomes that wait to be collected are kept as they are; more are kept as bytes, which are counted. */
const MOST_HELD = 64;
/** A Status of so many bytes is parked, whatever is parked already. */
const SHORT = 4096;
const LEFT_OUT =
  "what the failure says is left out: too many bytes wait to be read already, release some";

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
    const most = Math.min(resCap, this.#options.limits.responseBytes);
    const length = method.write(response, this.#memory.bytes, resPtr, resPtr + most);
    if (length >= 0) {
      if (number !== 0) this.#calls.delete(number);
      return length;
    }
    const body = this.#encode(method, response);
    // Of a call that is done at once this was looked at before it was made.
    if (number !== 0) this.#checkRoom(method);
    return this.#keep(number, 0, body);
  }

  /** @throws ConnectError RESOURCE_EXHAUSTED if it has too many bytes */
  #encode(method: BoundMethod, response: unknown): Uint8Array {
    const { responseBytes } = this.#options.limits;
    const body = method.encode(response);
    if (body.length > responseBytes) {
      throw new ConnectError(
        `the response of ${method.name} has ${body.length} bytes, above the limit of ${responseBytes}: ask for less at a time`,
        Code.ResourceExhausted,
      );
    }
    return body;
  }

  /** @throws ConnectError RESOURCE_EXHAUSTED if there is no room to park what a call has come to */
  #checkRoom({ name }: BoundMethod): void {
    const { parkedBytes } = this.#options.limits;
    if (this.#calls.parkedBytes <= parkedBytes) return;
    throw new ConnectError(
      `there is no room for the response of ${name}: responses of more than ${parkedBytes} bytes wait to be read already: release some`,
      Code.ResourceExhausted,
    );
  }

  /** Parks the Status of a failure under `number` (0: a new one). */
  park(number: number, error: unknown): number {
    return this.#keepStatus(number, this.#statusOf(error));
  }

  #keepStatus(number: number, { code, body }: Kept): number {
    const room = this.#calls.parkedBytes <= this.#options.limits.parkedBytes;
    if (room || body.length <= SHORT) return this.#keep(number, code, body);
    return this.#keep(number, code, encodeStatus(new ConnectError(LEFT_OUT, code)));
  }

  #statusOf(error: unknown): Kept {
    const failure = this.errorOf(error);
    const { code } = failure;
    try {
      return { code, body: encodeStatus(failure) };
    } catch (cause) {
      this.#options.incident(cause);
      return { code, body: encodeStatus(new ConnectError(failure.rawMessage, code)) };
    }
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
  pend(
    method: BoundMethod,
    pending: Pending<unknown>,
    reqLen: number,
    resPtr: number,
    resCap: number,
  ): number {
    const call = new PendingCall(this, method, pending, reqLen, resPtr, resCap);
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
    } else if (this.#calls.get(call.number) === call) this.#hold(call);
    this.#untold?.add(call);
    if (this.#options.finished === undefined || this.#calls.get(call.number) !== call) return;
    this.#finished[this.#finishedCount++] = call;
    this.#options.finished();
  }

  /** Nobody takes yet what a call has come to. */
  #hold(call: PendingCall): void {
    if (this.#calls.held < MOST_HELD) return this.#calls.hold(call);
    const { pendingBytes } = this.#options.limits;
    this.#calls.charge(call, 0);
    let kept = this.#kept(call);
    if (kept.body.length > SHORT && this.#calls.pendingBytes + kept.body.length > pendingBytes) {
      kept = this.#statusOf(
        new ConnectError(
          `what ${call.method.name} has come to was dropped: more than ${pendingBytes} bytes wait to be collected already: wait for calls as they are done`,
          Code.ResourceExhausted,
        ),
      );
    }
    call.response = call.error = undefined;
    call.kept = kept;
    this.#calls.charge(call, kept.body.length);
  }

  #kept({ method, response, error }: PendingCall): Kept {
    if (error !== undefined) return this.#statusOf(error);
    try {
      return { code: 0, body: this.#encode(method, response) };
    } catch (failure) {
      return this.#statusOf(failure);
    }
  }

  /** Gives the guest what was kept as bytes. */
  #take({ number, method, resPtr, resCap }: PendingCall, kept: Kept): number {
    const { code, body } = kept;
    if (code !== 0) return this.#keepStatus(number, kept);
    if (body.length > resCap) {
      this.#checkRoom(method);
      return this.#keep(number, 0, body);
    }
    this.#memory.bytes.set(body, resPtr);
    this.#calls.delete(number);
    return body.length;
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
    if (!this.#memory.holds(call.resPtr, call.resCap)) {
      this.#hold(call);
      return parkedWord(0, Code.OutOfRange);
    }
    return this.#outcome(call);
  }

  #outcome(call: PendingCall): number {
    const { number, method, response, error, kept } = call;
    if (error !== undefined) return this.park(number, error);
    try {
      if (kept !== undefined) return this.#take(call, kept);
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
