import type { Pending } from "@dropthrough/abi";
import type { Call } from "./call.ts";
import { type Dispatch, failed, started, succeeded } from "./call-outcome.ts";
import { isPromise } from "./interceptor.ts";
import { PendingAnswer } from "./pending-answer.ts";

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
  request: Request,
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
  if (isPromise(response)) return new PendingAnswer(dispatch, call, response, size);
  succeeded(dispatch, call, response, size);
  return response;
}
