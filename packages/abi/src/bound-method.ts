import type { Passage } from "./passage.ts";

/**
 * What the boundary needs of a method that a guest has bound. The registry makes these
 * (`@dropthrough/dispatch`); `T` is whatever it likes to keep a response in.
 */
export interface BoundMethod<T = unknown> {
  /** `package.Service/Method`, for messages. */
  readonly name: string;
  /**
   * Starts a call. The request is taken out of memory before this returns.
   *
   * @param memory the guest's memory as it is now; not to be kept
   * @param at where the request begins, in bytes
   * @param end where it ends
   * @param timeoutMs in milliseconds, above 0; or 0 to inherit the deadline of the call being served
   * @throws ConnectError if the call failed at once
   */
  start(memory: Uint8Array, at: number, end: number, timeoutMs: number): T | Pending<T>;
  /**
   * Starts a call instead of `start`, where whoever answers may read the request, and write the response, while the caller
   * is in its import.
   *
   * @param passage not to be kept; it is closed when this has returned
   * @throws ConnectError if the call failed at once
   */
  pass?(passage: Passage, timeoutMs: number): T | Pending<T>;
  /**
   * Writes a response to `memory[at, end)`.
   *
   * @returns the bytes written, or -1 if it does not fit
   * @throws ConnectError INTERNAL if the response cannot be encoded
   */
  write(response: T, memory: Uint8Array, at: number, end: number): number;
  /** The response as bytes of its own, for one that is parked. */
  encode(response: T): Uint8Array;
}

/** A call that is not done. No thenable, so that nothing awaits it by accident. */
export interface Pending<T> {
  /** The listener is told the outcome, once, never before `settle` returned. */
  settle(listener: PendingListener<T>): void;
  /** The call, as whoever made it knows it; the boundary does not look into it. */
  readonly call?: unknown;
  /** Gives the call up: its signal is aborted, and it fails with CANCELLED unless it is done already. */
  cancel(): void;
}

/** Hears how a call ended: by exactly one of the two. */
export interface PendingListener<T> {
  done(response: T): void;
  failed(error: unknown): void;
}

/** Whether `start` answered a call that is not done. */
export function isPending<T>(result: T | Pending<T>): result is Pending<T> {
  return (
    typeof result === "object" &&
    result !== null &&
    typeof (result as Partial<Pending<T>>).settle === "function" &&
    typeof (result as Partial<Pending<T>>).cancel === "function"
  );
}
