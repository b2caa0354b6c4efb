import { ConnectError } from "@connectrpc/connect";
import type { CallTable, IncomingCall, Reply } from "./call-table.ts";
import { Code, isCode } from "./code.ts";
import type { GuestMemory } from "./guest-memory.ts";
import type { AbiLimits } from "./limits.ts";
import { Passage } from "./passage.ts";
import { decodeStatus } from "./status.ts";

/** A call that a guest is answering. */
export class Incoming implements IncomingCall {
  readonly state = "incoming";
  /** Its number, by the table. */
  number = 0;
  body: Uint8Array | Passage;
  gone: number | undefined;
  /** What the guest replied, once it did. */
  reply: Reply | undefined;
  /** Called with the reply. */
  listener: ((reply: Reply) => void) | undefined;
  readonly #calls: CallTable;

  constructor(
    calls: CallTable,
    body: Uint8Array | Passage,
    listener: ((reply: Reply) => void) | undefined,
  ) {
    this.#calls = calls;
    this.body = body;
    this.reply = undefined;
    this.gone = undefined;
    this.listener = listener;
  }

  answer(reply: Reply): void {
    this.reply = reply;
    this.listener?.(reply);
  }

  /** The caller has gone, with this code: a later `reply` answers minus it. */
  leave(code: number): void {
    this.gone ??= code;
  }

  /** The guest will not reply any more: a caller that still waits is answered with the error that `why` makes. */
  end(why: () => ConnectError): void {
    if (this.#calls.get(this.number) !== this) return;
    this.#calls.remove(this);
    if (this.gone === undefined) this.answer({ ok: false, error: why() });
  }
}

/**
 * The calls that a guest is to answer: how they come in, and how they are replied to.
 *
 * ```text
 *  accept(body) ─▶ number ─▶ the guest reads body ─▶ reply(number, 0, ptr, len) ─▶ memory[ptr, ptr + len) to the caller
 * ```
 */
export class IncomingCalls {
  readonly #calls: CallTable;
  readonly #memory: GuestMemory;
  readonly #limits: AbiLimits;

  constructor(calls: CallTable, memory: GuestMemory, limits: AbiLimits) {
    this.#calls = calls;
    this.#memory = memory;
    this.#limits = limits;
  }

  /** `Endpoint.accept` */
  accept(body: Uint8Array | Passage, listener?: (reply: Reply) => void): Incoming {
    const { calls, pendingBytes } = this.#limits;
    if (this.#calls.full) throw noRoom(`holds ${calls} calls`);
    if (this.#calls.incomingBytes > pendingBytes)
      throw noRoom(`is to answer requests of more than ${pendingBytes} bytes`);
    const call = new Incoming(this.#calls, body, listener);
    if (body instanceof Passage) body.holder = call;
    this.#calls.add(call);
    return call;
  }

  /** The import `reply`, its pointer and length read as unsigned. */
  reply(number: number, code: number, ptr: number, len: number): number {
    const call = this.#calls.get(number);
    if (call?.state !== "incoming") return -Code.NotFound;
    if (call.gone !== undefined) {
      this.#calls.remove(call);
      return -call.gone;
    }
    if (code !== 0 && !isCode(code)) return -Code.InvalidArgument;
    if (len > this.#limits.responseBytes) return -Code.ResourceExhausted;
    if (!this.#memory.holds(ptr, len)) return -Code.OutOfRange;
    const passage = call.body instanceof Passage ? call.body : undefined;
    let reply: Reply;
    if (code !== 0) {
      const error = this.#status(code, ptr, len);
      if (typeof error === "number") return -error;
      reply = { ok: false, error };
    } else if (passage !== undefined && len <= passage.room) {
      passage.memory.copyFrom(this.#memory, ptr, passage.to, len);
      reply = { ok: true, body: len };
    } else reply = { ok: true, body: this.#memory.copy(ptr, len) };
    this.#calls.remove(call);
    if (passage !== undefined) passage.holder = undefined;
    call.answer(reply);
    return 0;
  }

  /** The failure that stands in memory; a code if that is no Status, or too large a one. */
  #status(code: number, ptr: number, len: number): ConnectError | Code {
    try {
      return decodeStatus(code, this.#memory.copy(ptr, len));
    } catch (error) {
      return error instanceof ConnectError ? error.code : Code.InvalidArgument;
    }
  }
}

function noRoom(why: string): ConnectError {
  return new ConnectError(`the guest already ${why}`, Code.ResourceExhausted);
}
