import { ConnectError } from "@connectrpc/connect";
import { type BoundMethod, isPending, type Pending } from "./bound-method.ts";
import { CallTable, type Outcome, type PendingCall, type Reply } from "./call-table.ts";
import { Code, isCode } from "./code.ts";
import { FinishedCalls } from "./finished-calls.ts";
import type { GuestMemory } from "./guest-memory.ts";
import { type Incoming, IncomingCalls } from "./incoming-calls.ts";
import type { AbiLimits } from "./limits.ts";
import { parkedWord, pendingWord } from "./result-word.ts";
import { encodeStatus } from "./status.ts";

/** What an endpoint needs to know. */
export interface EndpointOptions {
  readonly limits: AbiLimits;
  /**
   * Resolves `package.Service/Method`.
   *
   * @throws ConnectError; its code is what `bind` answers
   */
  readonly bind: (name: string) => BoundMethod;
  /** Takes a bug of the host to the operator; answers the incident id that the guest is told. */
  readonly incident: (error: unknown) => string;
  /**
   * Called when a call of a guest with an event loop is done; the host then calls `deliver` when the guest is
   * not running. Absent for a guest that waits.
   */
  readonly finished?: () => void;
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

/**
 * The host's end of one guest instance: the six imports of `dropthrough_v1`, and the calls that they hold.
 *
 * No import ever throws into the guest, except to unwind a guest that is to end (`unwind`).
 * Specified in docs/ABI.md.
 *
 * ```text
 *  guest memory                       endpoint                        dispatch
 *  ├─ req_ptr: request ──┤ ── call ──▶ checks ── start(memory, ptr) ──▶ decodes, answers
 *  ├─ res_ptr: response ─┤ ◀─────────── write(memory, ptr, cap) ◀────── a response
 *                          or ~word: parked (read it) or pending (wait for it)
 * ```
 */
export class Endpoint {
  readonly #memory: GuestMemory;
  readonly #options: EndpointOptions;
  readonly #limits: AbiLimits;
  readonly #methods: BoundMethod[] = [];
  readonly #numbers = new Map<string, number>();
  readonly #calls: CallTable;
  readonly #incoming: IncomingCalls;
  readonly #finished: { number: number; resPtr: number; resCap: number }[] = [];
  #untold: FinishedCalls | undefined;
  #waiting: PendingCall | undefined;
  #unwinding: { readonly reason: unknown } | undefined;

  constructor(memory: GuestMemory, options: EndpointOptions) {
    this.#memory = memory;
    this.#options = options;
    this.#limits = options.limits;
    this.#calls = new CallTable(options.limits.calls);
    this.#incoming = new IncomingCalls(this.#calls, memory, options.limits);
  }

  /** How many calls are held now: pending, parked and incoming. */
  get held(): number {
    return this.#calls.size;
  }

  /** How many calls it is to answer now. */
  get incoming(): number {
    return this.#calls.incoming;
  }

  /** The pending call that the guest waits for now. */
  get waiting(): Pending<unknown> | undefined {
    return this.#waiting?.outcome === undefined ? this.#waiting?.pending : undefined;
  }

  /**
   * The calls that have finished and that the guest does not wait for: kept from now on, for a guest that receives.
   *
   * @param listener is called after each call that has finished
   */
  finishedCalls(listener: () => void): FinishedCalls {
    return (this.#untold ??= new FinishedCalls(this.#calls, listener));
  }

  /** The number that this guest bound a name to, if it did. */
  numberOf(name: string): number | undefined {
    return this.#numbers.get(name);
  }

  /** The import `bind`. */
  bind(namePtr: number, nameLen: number): number {
    try {
      const ptr = namePtr >>> 0;
      const len = nameLen >>> 0;
      if (len > this.#limits.nameBytes) return -Code.InvalidArgument;
      if (!this.#memory.holds(ptr, len)) return -Code.OutOfRange;
      let name: string;
      try {
        name = utf8.decode(this.#memory.copy(ptr, len));
      } catch {
        return -Code.InvalidArgument;
      }
      const known = this.#numbers.get(name);
      if (known !== undefined) return known;
      if (this.#methods.length >= this.#limits.bindings) return -Code.ResourceExhausted;
      const number = this.#methods.push(this.#options.bind(name)) - 1;
      this.#numbers.set(name, number);
      return number;
    } catch (error) {
      return -this.#errorOf(error).code;
    }
  }

  /** The import `call`. */
  call(
    method: number,
    reqPtr: number,
    reqLen: number,
    resPtr: number,
    resCap: number,
    timeoutMs: number,
  ): number {
    reqPtr >>>= 0;
    reqLen >>>= 0;
    resPtr >>>= 0;
    resCap >>>= 0;
    let word: number;
    try {
      word = this.#start(method, reqPtr, reqLen, resPtr, resCap, timeoutMs);
    } catch (error) {
      word = this.#park(0, error);
    }
    if (this.#unwinding !== undefined) throw this.#unwinding.reason;
    return word;
  }

  #start(
    number: number,
    reqPtr: number,
    reqLen: number,
    resPtr: number,
    resCap: number,
    timeoutMs: number,
  ): number {
    const method = this.#methods[number];
    if (method === undefined) {
      throw new ConnectError(
        `method ${number} was never bound: use the number that bind answered`,
        Code.InvalidArgument,
      );
    }
    if (timeoutMs < 0) {
      throw new ConnectError(
        `a timeout of ${timeoutMs} ms is below 0: use 0 to inherit the deadline`,
        Code.InvalidArgument,
      );
    }
    if (reqLen > this.#limits.requestBytes) {
      throw new ConnectError(
        `the request of ${reqLen} bytes is above the limit of ${this.#limits.requestBytes}: send less at a time`,
        Code.ResourceExhausted,
      );
    }
    this.#memory.check("request", reqPtr, reqLen);
    this.#memory.check("response buffer", resPtr, resCap);
    // Checked before the call is made: afterwards there would be no place for an answer that must be kept.
    if (this.#calls.full || this.#calls.parkedBytes > this.#limits.parkedBytes) {
      return parkedWord(0, Code.ResourceExhausted);
    }
    const result = method.start(this.#memory.bytes, reqPtr, reqPtr + reqLen, timeoutMs);
    if (isPending(result)) return this.#pend(method, result, resPtr, resCap);
    return this.#finish(0, method, result, resPtr, resCap);
  }

  /** Writes a response to the guest's buffer, or parks it under `number` (0: a new one). */
  #finish(
    number: number,
    method: BoundMethod,
    response: unknown,
    resPtr: number,
    resCap: number,
  ): number {
    const most = Math.min(resCap, this.#limits.responseBytes);
    const length = method.write(response, this.#memory.bytes, resPtr, resPtr + most);
    if (length >= 0) {
      if (number !== 0) this.#calls.delete(number);
      return length;
    }
    const body = method.encode(response);
    if (body.length > this.#limits.responseBytes) {
      throw new ConnectError(
        `the response of ${method.name} has ${body.length} bytes, above the limit of ${this.#limits.responseBytes}: ask for less at a time`,
        Code.ResourceExhausted,
      );
    }
    return this.#keep(number, 0, body);
  }

  /** Parks the Status of a failure under `number` (0: a new one). */
  #park(number: number, error: unknown): number {
    const failure = this.#errorOf(error);
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
    const parked = { state: "parked", code, body } as const;
    if (number !== 0) this.#calls.set(number, parked);
    else if (this.#calls.full) return parkedWord(0, code);
    else number = this.#calls.add(parked);
    return parkedWord(number, code);
  }

  #pend(method: BoundMethod, pending: Pending<unknown>, resPtr: number, resCap: number): number {
    const call: PendingCall = {
      state: "pending",
      method,
      pending,
      wake: undefined,
      outcome: undefined,
    };
    const number = this.#calls.add(call);
    const end = (outcome: Outcome): void => {
      call.outcome = outcome;
      call.wake?.();
      this.#untold?.add(number, call);
      if (this.#options.finished === undefined || this.#calls.get(number) !== call) return;
      this.#finished.push({ number, resPtr, resCap });
      this.#options.finished();
    };
    pending.settle(
      (response) => end({ ok: true, response }),
      (error: unknown) => end({ ok: false, error: this.#errorOf(error) }),
    );
    return pendingWord(number);
  }

  /**
   * The import `wait`: a promise where the call is not done, so the host wraps it in whatever can
   * suspend the guest.
   */
  wait(number: number, resPtr: number, resCap: number): number | Promise<number> {
    const call = this.#calls.get(number);
    if (call?.state === "parked") return parkedWord(number, call.code);
    if (call?.state !== "pending") return this.#leave(parkedWord(0, Code.NotFound));
    this.#untold?.drop(number);
    if (call.outcome !== undefined) return this.#leave(this.#collect(number, call, resPtr, resCap));
    if (this.#options.finished !== undefined)
      return this.#leave(parkedWord(0, Code.FailedPrecondition));
    this.#waiting = call;
    return new Promise((resolve, reject) => {
      call.wake = () => {
        // What unwinds the guest is thrown into it.
        try {
          resolve(this.#leave(this.#collect(number, call, resPtr, resCap)));
        } catch (reason) {
          reject(reason);
        }
      };
    });
  }

  /** For a host that cannot suspend a guest: ends a pending call with a Status that says so. */
  refuseWait(number: number, reason: ConnectError): number {
    const call = this.#calls.get(number);
    if (call?.state === "pending") call.pending.cancel();
    return this.#leave(
      call === undefined ? parkedWord(0, Code.NotFound) : this.#park(number, reason),
    );
  }

  #collect(number: number, call: PendingCall, resPtr: number, resCap: number): number {
    resPtr >>>= 0;
    resCap >>>= 0;
    if (this.#calls.get(number) !== call) return parkedWord(0, Code.NotFound);
    // The call keeps its number and its outcome: the guest can wait again with a buffer that exists.
    if (!this.#memory.holds(resPtr, resCap)) return parkedWord(0, Code.OutOfRange);
    return this.#outcome(number, call, resPtr, resCap);
  }

  #outcome(number: number, call: PendingCall, resPtr: number, resCap: number): number {
    const outcome = call.outcome;
    try {
      if (outcome === undefined) throw new Error("a call was collected before it was done");
      if (outcome.ok) return this.#finish(number, call.method, outcome.response, resPtr, resCap);
      return this.#park(number, outcome.error);
    } catch (error) {
      return this.#park(number, error);
    }
  }

  /**
   * Takes the next finished call of a guest with an event loop, its response written to the buffer that
   * `call` was given; the host hands both numbers to `dropthrough_v1_done`.
   */
  deliver(): { readonly call: number; readonly word: number } | undefined {
    for (let next = this.#finished.shift(); next !== undefined; next = this.#finished.shift()) {
      const call = this.#calls.get(next.number);
      if (call?.state !== "pending") continue;
      return {
        call: next.number,
        word: this.#outcome(next.number, call, next.resPtr, next.resCap),
      };
    }
    return undefined;
  }

  /** The import `read`. */
  read(number: number, offset: number, ptr: number, len: number): number {
    offset >>>= 0;
    ptr >>>= 0;
    len >>>= 0;
    const call = this.#calls.get(number);
    if (call === undefined) return -Code.NotFound;
    if (call.state === "pending") return -Code.FailedPrecondition;
    const total = call.body.length;
    if (offset > total || !this.#memory.holds(ptr, len)) return -Code.OutOfRange;
    const end = Math.min(offset + len, total);
    if (end > offset) this.#memory.bytes.set(call.body.subarray(offset, end), ptr);
    return total;
  }

  /** The import `reply`. */
  reply(number: number, code: number, ptr: number, len: number): number {
    return this.#incoming.reply(number, code, ptr >>> 0, len >>> 0);
  }

  /** The import `release`. */
  release(number: number): number {
    const call = this.#calls.get(number);
    if (call === undefined || call.state === "incoming") return -Code.NotFound;
    this.#calls.delete(number);
    this.#untold?.drop(number);
    if (call.state === "pending") call.pending.cancel();
    return 0;
  }

  /**
   * Takes in a call that this guest is to answer.
   *
   * @param body the request; the guest reads it with `read`
   * @param answer called once, with what the guest replied; never if `leave` was called before
   * @returns the call's number, for `dropthrough_v1_serve`, and what ends it without an answer
   * @throws ConnectError RESOURCE_EXHAUSTED if the guest holds too many calls
   */
  accept(body: Uint8Array, answer: (reply: Reply) => void): Incoming {
    return this.#incoming.accept(body, answer);
  }

  /**
   * Makes the guest end: the import that it is in, and every later `call` and `wait`, throws `reason`. What it waits
   * for is cancelled, so that it wakes.
   */
  unwind(reason: unknown): void {
    this.#unwinding ??= { reason };
    for (const call of this.#calls.values()) if (call.state === "pending") call.pending.cancel();
  }

  /** Ends everything that the guest holds: pending calls are cancelled, incoming ones answered with `error`. */
  close(error: ConnectError): void {
    for (const call of this.#calls.clear()) {
      if (call.state === "pending") call.pending.cancel();
      if (call.state === "incoming" && call.gone === undefined) call.answer({ ok: false, error });
    }
  }

  #leave(word: number): number {
    if (this.#unwinding !== undefined) throw this.#unwinding.reason;
    return word;
  }

  #errorOf(error: unknown): ConnectError {
    if (error instanceof ConnectError && isCode(error.code)) return error;
    return new ConnectError(
      `internal error; the operator's log has it as ${this.#options.incident(error)}`,
      Code.Internal,
    );
  }
}
