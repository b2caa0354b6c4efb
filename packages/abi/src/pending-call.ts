import type { ConnectError } from "@connectrpc/connect";
import type { BoundMethod, Pending, PendingListener } from "./bound-method.ts";

/** The outcome of a call as it is parked: a response, or the Status of a failure. */
export interface Kept {
  /** 0, or the code of the Status. */
  readonly code: number;
  readonly body: Uint8Array;
}

/** Who made the call. */
interface PendingCallOwner {
  /** The call is done. */
  ended(call: PendingCall): void;
  errorOf(error: unknown): ConnectError;
}

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
  /** What it has come to as it will be parked, where many wait to be collected: then `response` and `error` are gone. */
  kept: Kept | undefined;
  /** It is done, and `response` or `error` waits to be collected. */
  held = false;
  /** What is held for it, as far as that is counted: its request, then `kept`. */
  bytes: number;
  /** Where its response goes: as `call` said, and then `wait`. */
  resPtr: number;
  resCap: number;
  /** The guest waits, or has waited, for it. */
  waited = false;
  resolve: ((word: number | Promise<never>) => void) | undefined;
  readonly #owner: PendingCallOwner;

  constructor(
    owner: PendingCallOwner,
    method: BoundMethod,
    pending: Pending<unknown>,
    bytes: number,
    resPtr: number,
    resCap: number,
  ) {
    this.#owner = owner;
    this.method = method;
    this.pending = pending;
    this.bytes = bytes;
    this.resPtr = resPtr;
    this.resCap = resCap;
    this.response = this.error = this.kept = this.resolve = undefined;
  }

  done(response: unknown): void {
    this.over = true;
    this.response = response;
    this.#owner.ended(this);
  }

  failed(error: unknown): void {
    this.over = true;
    this.error = this.#owner.errorOf(error);
    this.#owner.ended(this);
  }
}
