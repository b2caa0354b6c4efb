import { kernel, exit } from "./kernel";
import { describe, Result } from "./result";
import { dropthrough_v1_serve } from "./serve";
import {
  IncomingCall,
  ReceiveRequest,
  ReceiveResponse,
  ReceiveResponse_EventCase,
} from "./gen/dropthrough/kernel/v1/kernel";

/**
 * The next event, for a guest whose control flow is its own: an incoming call, the wish that it exit, or a timeout;
 * `eventCase` says which. `timeoutMs` 0 answers at once, below 0 waits for as long as it takes.
 *
 * Codes: FAILED_PRECONDITION before `launch`, or inside of a handler that the host has called.
 */
export function receive(timeoutMs: i32 = -1): Result<ReceiveResponse> {
  const request = new ReceiveRequest();
  if (timeoutMs >= 0) request.timeoutMs = <u32>timeoutMs;
  return kernel().receive(request);
}

/** Has an incoming call answered by the service that it is for, as the host would. */
export function answer(call: IncomingCall): void {
  dropthrough_v1_serve(<i32>call.call, <i32>call.method, <i32>call.length);
}

/** Answers calls until the operator wants the guest to exit, and exits then. Does not return. */
export function answerCalls(): void {
  for (;;) {
    const event = receive();
    if (!event.ok) exit(1, describe(event.status));
    const call = event.value.incoming;
    if (call !== null) answer(call);
    const wish = event.value.exit;
    if (wish !== null) exit(wish.code, wish.reason);
  }
}

export { IncomingCall, ReceiveResponse, ReceiveResponse_EventCase };
