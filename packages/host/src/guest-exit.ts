import { Code, ConnectError } from "@connectrpc/connect";

/** Exit codes that only the host gives. A guest's own lie in 0-192. */
export const EXIT_NO_ENTRY = 251;
/** Its launch had failed, and it ended as if all were well. */
export const EXIT_NOT_LAUNCHED = 252;
/** The guest trapped: an instruction failed, or its stack or memory ran out. */
export const EXIT_TRAP = 253;
/** The guest gave up by itself: its language's `abort`. */
export const EXIT_PANIC = 254;

/** How one guest instance ended. */
export interface GuestExit {
  /** The guest's name. */
  readonly guest: string;
  /** Which instance, from 1. */
  readonly instance: number;
  /** 0-192 by the guest itself; 251 no entry, 252 not launched, 253 trap, 254 panic. */
  readonly code: number;
  /** One sentence for the operator; empty if there is nothing to say. */
  readonly reason: string;
}

/** What unwinds a guest that is to end: thrown out of the import that it is in. */
export class Unwind extends Error {
  override name = "Unwind";
  readonly code: number;

  constructor(code: number, reason: string) {
    super(reason);
    this.code = code;
  }
}

/** A guest could not be loaded. The message names it and says what to do. */
export class GuestError extends Error {
  override name = "GuestError";
}

/** The code that a guest asked for, as near as one can get within 0-192. */
export function clampExitCode(code: number): number {
  return Math.min(192, Math.max(0, Math.trunc(code) || 0));
}

/**
 * What the calls of a guest that has ended are answered.
 *
 * @param late it was asked to exit, and was not done in time
 */
export function endError(
  name: string,
  { code, reason }: { readonly code: number; readonly reason: string },
  late: boolean,
): ConnectError {
  const why = reason === "" ? "" : `: ${reason}`;
  if (code === EXIT_TRAP || code === EXIT_PANIC)
    return new ConnectError(`${name} crashed while it answered`, Code.Aborted);
  if (late)
    return new ConnectError(`${name} did not answer before it was ended${why}`, Code.Aborted);
  return new ConnectError(`${name} has exited${why}`, Code.Unavailable);
}
