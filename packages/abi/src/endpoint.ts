import { ConnectError } from "@connectrpc/connect";
import { type BoundMethod, isPending, type Pending } from "./bound-method.ts";
import { CallTable, type Reply } from "./call-table.ts";
import { Code } from "./code.ts";
import type { FinishedCalls } from "./finished-calls.ts";
import type { GuestMemory } from "./guest-memory.ts";
import { type Incoming, IncomingCalls } from "./incoming-calls.ts";
import type { AbiLimits } from "./limits.ts";
import { OutgoingCalls } from "./outgoing-calls.ts";
import { Passage } from "./passage.ts";
import { parkedWord } from "./result-word.ts";

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
  /** The name that was asked for last, which is most often the next one too, and its number. */
  #lastName: string | undefined;
  #lastNumber = 0;
  readonly #calls: CallTable;
  readonly #outgoing: OutgoingCalls;
  readonly #incoming: IncomingCalls;

  constructor(memory: GuestMemory, options: EndpointOptions) {
    this.#memory = memory;
    this.#options = options;
    this.#limits = options.limits;
    this.#calls = new CallTable(options.limits.calls);
    this.#outgoing = new OutgoingCalls(this.#calls, memory, options);
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
    return this.#outgoing.waiting;
  }

  /**
   * The calls that have finished and that the guest does not wait for: kept from now on, for a guest that receives.
   *
   * @param listener is called after each call that has finished
   */
  finishedCalls(listener: () => void): FinishedCalls {
    return this.#outgoing.finishedCalls(listener);
  }

  /** The number that this guest bound a name to, if it did. */
  numberOf(name: string): number | undefined {
    if (name === this.#lastName) return this.#lastNumber;
    const number = this.#numbers.get(name);
    if (number === undefined) return undefined;
    this.#lastName = name;
    return (this.#lastNumber = number);
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
      return this.#numbers.get(name) ?? this.#add(name, () => this.#options.bind(name));
    } catch (error) {
      return -this.#outgoing.errorOf(error).code;
    }
  }

  #add(name: string, bind: () => BoundMethod): number {
    if (this.#methods.length >= this.#limits.bindings) {
      throw new ConnectError(
        `${this.#limits.bindings} methods are bound already`,
        Code.ResourceExhausted,
      );
    }
    const number = this.#methods.push(bind()) - 1;
    this.#numbers.set(name, number);
    return number;
  }

  /**
   * A method number for calls of the host to the guest. Whoever calls it gets UNIMPLEMENTED.
   *
   * @param name no method name, so that it is in nobody's way
   * @throws ConnectError RESOURCE_EXHAUSTED if it has bound as many methods as it may
   */
  reserve(name: string): number {
    return this.#numbers.get(name) ?? this.#add(name, () => reserved(name));
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
    this.#outgoing.leave(0);
    let word: number;
    try {
      word = this.#start(method, reqPtr, reqLen, resPtr, resCap, timeoutMs);
    } catch (error) {
      word = this.#outgoing.park(0, error);
    }
    return this.#outgoing.leave(word);
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
    const { bytes } = this.#memory;
    if (reqPtr + reqLen > bytes.length) this.#memory.check("request", reqPtr, reqLen);
    if (resPtr + resCap > bytes.length) this.#memory.check("response buffer", resPtr, resCap);
    // Checked before the call is made: afterwards there would be no place for an answer that must be kept.
    if (this.#calls.isFull(this.#limits)) return parkedWord(0, Code.ResourceExhausted);
    const result =
      method.pass === undefined
        ? method.start(bytes, reqPtr, reqPtr + reqLen, timeoutMs)
        : this.#pass(method, reqPtr, reqLen, resPtr, resCap, timeoutMs);
    if (isPending(result)) return this.#outgoing.pend(method, result, reqLen, resPtr, resCap);
    return this.#outgoing.finish(0, method, result, resPtr, resCap);
  }

  /** Starts a call that another guest may answer from memory to memory. */
  #pass(
    method: BoundMethod,
    reqPtr: number,
    reqLen: number,
    resPtr: number,
    resCap: number,
    timeoutMs: number,
  ): unknown {
    const room = Math.min(resCap, this.#limits.responseBytes);
    const passage = new Passage(this.#memory, reqPtr, reqLen, resPtr, room);
    try {
      return method.pass?.(passage, timeoutMs);
    } finally {
      if (passage.holder !== undefined) passage.close();
    }
  }

  /**
   * The import `wait`: a promise where the call is not done, so the host wraps it in whatever can
   * suspend the guest.
   */
  wait(number: number, resPtr: number, resCap: number): number | Promise<number> {
    return this.#outgoing.wait(number, resPtr, resCap);
  }

  /** For a host that cannot suspend a guest: ends a pending call with a Status that says so. */
  refuseWait(number: number, reason: ConnectError): number {
    return this.#outgoing.refuseWait(number, reason);
  }

  /**
   * Takes the next finished call of a guest with an event loop, its response written to the buffer that
   * `call` was given; the host hands both numbers to `dropthrough_v1_done`.
   */
  deliver(): { readonly call: number; readonly word: number } | undefined {
    return this.#outgoing.deliver();
  }

  /** The import `read`. */
  read(number: number, offset: number, ptr: number, len: number): number {
    offset >>>= 0;
    ptr >>>= 0;
    len >>>= 0;
    const call = this.#calls.get(number);
    if (call === undefined) return -Code.NotFound;
    if (call.state === "pending") return -Code.FailedPrecondition;
    const { body } = call;
    const total = body.length;
    if (offset > total || !this.#memory.holds(ptr, len)) return -Code.OutOfRange;
    const count = Math.min(len, total - offset);
    if (body instanceof Passage) this.#memory.copyFrom(body.memory, body.at + offset, ptr, count);
    else if (count > 0)
      this.#memory.bytes.set(count === total ? body : body.subarray(offset, offset + count), ptr);
    return total;
  }

  /** The import `reply`. */
  reply(number: number, code: number, ptr: number, len: number): number {
    return this.#incoming.reply(number, code, ptr >>> 0, len >>> 0);
  }

  /** The import `release`. */
  release(number: number): number {
    return this.#outgoing.release(number);
  }

  /**
   * Takes in a call that this guest is to answer.
   *
   * @param body the request, or the passage that it stands in; the guest reads it with `read`
   * @param listener called once, with what the guest replied; never if `leave` was called before
   * @returns the call's number, for `dropthrough_v1_serve`, and what ends it without an answer
   * @throws ConnectError RESOURCE_EXHAUSTED if the guest holds too many calls, or is to answer too many bytes
   */
  accept(body: Uint8Array | Passage, listener?: (reply: Reply) => void): Incoming {
    return this.#incoming.accept(body, listener);
  }

  /**
   * Makes the guest end: the import that it is in, and every later `call` and `wait`, throws `reason`.
   *
   * @param now what it waits for is cancelled, so that it wakes; else it ends when that is done
   */
  unwind(reason: unknown, now = true): void {
    this.#outgoing.unwind(reason, now);
  }

  /** Ends everything that the guest holds: pending calls are cancelled, incoming ones answered with `error`. */
  close(error: ConnectError): void {
    for (const call of this.#calls.clear()) {
      if (call.state === "pending") call.pending.cancel();
      if (call.state === "incoming" && call.gone === undefined) call.answer({ ok: false, error });
    }
    this.#memory.close();
  }
}

function reserved(name: string): BoundMethod {
  const refuse = (): never => {
    throw new ConnectError(`${name} is called by the host alone`, Code.Unimplemented);
  };
  return { name, start: refuse, write: refuse, encode: refuse };
}
