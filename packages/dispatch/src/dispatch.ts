import type { Pending } from "@dropthrough/abi";
import type { Call } from "./call.ts";
import { type Dispatch, failed, type Measured, started, succeeded } from "./call-outcome.ts";
import { type Answer, isPromise } from "./interceptor.ts";
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
 * @throws ConnectError whatever the answer throws; INTERNAL with an incident id if that was no ConnectError
 */
export function run<Request, Response>(
  dispatch: Dispatch,
  call: Call,
  request: Request,
  answer: Answer<Request, Response>,
  measured?: Measured<Response>,
): Response | Pending<Response> {
  if (dispatch.observers.size > 0) started(dispatch, call, request);
  let response;
  try {
    const gone = call.parent?.aborted;
    if (gone !== undefined) throw gone;
    const answered = answer.answer(request, call);
    if (isPromise(answered)) return new PendingAnswer(dispatch, call, answer, measured, answered);
    response = answer.response(answered);
  } catch (error) {
    throw failed(dispatch, call, error);
  }
  succeeded(dispatch, call, response, measured);
  return response;
}
