import { Code, ConnectError } from "@connectrpc/connect";
import type { CodecOptions } from "@dropthrough/codec";
import type { Pending } from "@dropthrough/abi";
import type { Call, CallObserver } from "./call.ts";
import { isPromise } from "./interceptor.ts";
import type { Scheduler } from "./scheduler.ts";

/** What every call of a registry shares. */
export interface Dispatch {
  readonly observers: ReadonlySet<CallObserver>;
  readonly clock: Scheduler;
  readonly codec: CodecOptions;
  /** Takes a bug of the host to the operator; answers the incident id that the caller is told. */
  incident(error: unknown, call: Call): string;
}

/**
 * Runs one call: everything that is answered, to anyone, is answered here. What is synchronous stays so.
 *
 * ```text
 *  started ─▶ answer(request, call) ─┬─ a value ────────────────────────▶ ended ─▶ the value
 *                                    ├─ an error ── as a ConnectError ──▶ ended ─▶ thrown
 *                                    └─ a promise ─ deadline, cancel ───▶ ended ─▶ a Pending
 * ```
 *
 * @param size measures an encoded response, for observers
 * @throws ConnectError whatever the answer throws; INTERNAL with an incident id if that was no ConnectError
 */
export function run<Request, Response>(
  dispatch: Dispatch,
  call: Call,
  request: Request & Call["request"],
  answer: (request: Request, call: Call) => Response | Promise<Response>,
  size?: (response: Response) => number,
): Response | Pending<Response> {
  if (dispatch.observers.size > 0) started(dispatch, call, request);
  let response;
  try {
    const gone = call.parent?.aborted;
    if (gone !== undefined) throw gone;
    response = answer(request, call);
  } catch (error) {
    throw failed(dispatch, call, error);
  }
  if (isPromise(response)) return pend(dispatch, call, response, size);
  succeeded(dispatch, call, response, size);
  return response;
}

/**
 * A call that did not end at once. It ends once: by its own outcome, its deadline or its caller's leaving. Written with callbacks:
 * each promise more would be a turn of the event loop's microtasks on the way of every asynchronous call.
 */
function pend<Response>(
  dispatch: Dispatch,
  call: Call,
  promise: PromiseLike<Response>,
  size?: (response: Response) => number,
): Pending<Response> {
  let over = false;
  let tell: (() => void) | undefined;
  let listener:
    | { done: (response: Response) => void; refused: (error: unknown) => void }
    | undefined;
  const end = (outcome: () => void): void => {
    if (listener !== undefined) outcome();
    else tell = outcome;
  };
  const succeed = (response: Response): void => {
    if (over) return;
    over = true;
    succeeded(dispatch, call, response, size);
    end(() => listener?.done(response));
  };
  const fail = (error: unknown): void => {
    if (over) return;
    over = true;
    const failure = failed(dispatch, call, error);
    end(() => listener?.refused(failure));
  };
  call.onAbort(fail);
  dispatch.clock.settled(promise, succeed, fail);
  call.arm();
  return {
    call,
    settle(done, refused) {
      listener = { done, refused };
      // Over before anybody listened: never told before this has returned.
      if (tell !== undefined) dispatch.clock.soon(tell);
    },
    cancel: () =>
      call.abort(new ConnectError(`${call.name} was given up by its caller`, Code.Canceled)),
  };
}

function started(dispatch: Dispatch, call: Call, request: Call["request"]): void {
  call.request = request;
  call.startedAt = dispatch.clock.now();
  if (request instanceof Uint8Array) call.requestBytes = request.length;
  for (const observer of dispatch.observers) observer.started?.(call);
}

function succeeded<Response>(
  dispatch: Dispatch,
  call: Call,
  response: Response,
  size: ((response: Response) => number) | undefined,
): void {
  call.end();
  if (dispatch.observers.size === 0) return;
  call.response = response as Call["response"];
  try {
    call.responseBytes = response instanceof Uint8Array ? response.length : size?.(response);
  } catch {
    // It cannot be encoded: whoever encodes it for the caller says so, as INTERNAL.
    call.code = Code.Internal;
  }
  ended(dispatch, call);
}

function failed(dispatch: Dispatch, call: Call, error: unknown): ConnectError {
  call.end();
  const failure = errorOf(dispatch, call, error);
  call.code = failure.code;
  call.error = failure;
  ended(dispatch, call);
  return failure;
}

function ended(dispatch: Dispatch, call: Call): void {
  call.durationMs = dispatch.clock.now() - call.startedAt;
  for (const observer of dispatch.observers) observer.ended?.(call);
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
