import { Code, ConnectError } from "@connectrpc/connect";
import type { CodecOptions } from "@dropthrough/codec";
import type { Call, CallObserver } from "./call.ts";
import { isPromise } from "./interceptor.ts";
import type { DispatchLimits } from "./limits.ts";
import type { Scheduler } from "./scheduler.ts";

/** What every call of a registry shares. */
export interface Dispatch {
  readonly observers: ReadonlySet<CallObserver>;
  readonly clock: Scheduler;
  readonly codec: CodecOptions;
  readonly limits: DispatchLimits;
  /** Takes a bug of the host to the operator; answers the incident id that the caller is told. */
  incident(error: unknown, call?: Call): string;
}

/** A call starts. */
export function started(dispatch: Dispatch, call: Call, request: unknown): void {
  call.request = request as Call["request"];
  call.startedAt = dispatch.clock.now();
  if (request instanceof Uint8Array) call.requestBytes = request.length;
  tell(dispatch, call, (observer) => observer.started?.(call));
}

/** Tells every observer: what one throws, at once or later, is the operator's to mend, and changes nothing for the call. */
export function tell(
  dispatch: Dispatch,
  call: Call | undefined,
  hear: (observer: CallObserver) => unknown,
): void {
  for (const observer of dispatch.observers) {
    try {
      const heard = hear(observer);
      if (isPromise(heard)) heard.then(undefined, (error) => dispatch.incident(error, call));
    } catch (error) {
      dispatch.incident(error, call);
    }
  }
}

/** Measures an encoded response, for observers. */
export interface Measured<Response> {
  size(response: Response): number;
}

/** A call has ended well. */
export function succeeded<Response>(
  dispatch: Dispatch,
  call: Call,
  response: Response,
  measured: Measured<Response> | undefined,
): void {
  call.end();
  if (dispatch.observers.size > 0) observed(dispatch, call, response, measured);
}

function observed<Response>(
  dispatch: Dispatch,
  call: Call,
  response: Response,
  measured: Measured<Response> | undefined,
): void {
  call.response = response as Call["response"];
  try {
    call.responseBytes =
      response instanceof Uint8Array ? response.length : measured?.size(response);
  } catch {
    // It cannot be encoded: whoever encodes it for the caller says so, as INTERNAL.
    call.code = Code.Internal;
  }
  ended(dispatch, call);
}

/** A call has failed: what its caller is told. */
export function failed(dispatch: Dispatch, call: Call, error: unknown): ConnectError {
  call.end();
  const failure = errorOf(dispatch, call, error);
  call.code = failure.code;
  if (dispatch.observers.size > 0) call.error = failure;
  ended(dispatch, call);
  return failure;
}

function ended(dispatch: Dispatch, call: Call): void {
  call.durationMs = dispatch.clock.now() - call.startedAt;
  if (dispatch.observers.size === 0 && call.request === undefined) return;
  tell(dispatch, call, (observer) => observer.ended?.(call));
  // Whoever has not collected the call keeps it, and so do those made on its behalf.
  call.request = call.response = call.error = undefined;
}

function errorOf(dispatch: Dispatch, call: Call, error: unknown): ConnectError {
  if (error instanceof ConnectError) return error;
  const id = dispatch.incident(error, call);
  return new ConnectError(
    `internal error in "${call.target.entry.name}"; the operator's log has it as ${id}`,
    Code.Internal,
    undefined,
    undefined,
    error,
  );
}
