import { ConnectError } from "@connectrpc/connect";
import type { CallTable, IncomingCall, Reply } from "./call-table.ts";
import { Code, isCode } from "./code.ts";
import type { GuestMemory } from "./guest-memory.ts";
import type { AbiLimits } from "./limits.ts";
import { decodeStatus } from "./status.ts";

/** A call that a guest is answering. */
export interface Incoming {
  /** Its number. */
  readonly number: number;
  /** The caller has gone, with this code: a later `reply` answers minus it. */
  readonly leave: (code: number) => void;
  /** The guest will not reply any more: a caller that still waits is answered with the error that `why` makes. */
  readonly end: (why: () => ConnectError) => void;
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
  accept(body: Uint8Array, answer: (reply: Reply) => void): Incoming {
    if (this.#calls.full) {
      throw new ConnectError(
        `the guest already holds ${this.#limits.calls} calls`,
        Code.ResourceExhausted,
      );
    }
    const call: IncomingCall = { state: "incoming", body, answer, gone: undefined };
    const number = this.#calls.add(call);
    return {
      number,
      leave: (code) => (call.gone ??= code),
      end: (why) => {
        if (this.#calls.get(number) !== call) return;
        this.#calls.delete(number);
        if (call.gone === undefined) answer({ ok: false, error: why() });
      },
    };
  }

  /** The import `reply`, its pointer and length read as unsigned. */
  reply(number: number, code: number, ptr: number, len: number): number {
    const call = this.#calls.get(number);
    if (call?.state !== "incoming") return -Code.NotFound;
    if (call.gone !== undefined) {
      this.#calls.delete(number);
      return -call.gone;
    }
    if (code !== 0 && !isCode(code)) return -Code.InvalidArgument;
    if (len > this.#limits.responseBytes) return -Code.ResourceExhausted;
    if (!this.#memory.holds(ptr, len)) return -Code.OutOfRange;
    const body = this.#memory.copy(ptr, len);
    let reply: Reply;
    try {
      reply = code === 0 ? { ok: true, body } : { ok: false, error: decodeStatus(code, body) };
    } catch {
      return -Code.InvalidArgument;
    }
    this.#calls.delete(number);
    call.answer(reply);
    return 0;
  }
}
