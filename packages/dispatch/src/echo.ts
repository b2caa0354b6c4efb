import { ConnectError } from "@connectrpc/connect";
import { type Backend, defineBackend } from "./backend.ts";
import type { Clock } from "./guest.ts";
import { systemClock } from "./system-clock.ts";
import { type EchoRequest, EchoService } from "./gen/dropthrough/testing/v1/echo_pb.ts";

/** A backend that answers what it is asked: at once, later, or with an error. For tests of hosts and guests. */
export function echo(): Backend<typeof EchoService> {
  let clock: Clock = systemClock;
  return defineBackend({
    name: "echo",
    service: EchoService,
    attach: (directory) => void (clock = directory.clock),
    impl: {
      echo: (request, context) =>
        request.delayMs === 0 ? answer(request) : answerLater(request, context.signal, clock),
      forward: ({ payload }) => ({ payload }),
    },
  });
}

function answer({ payload, code, message }: EchoRequest): { payload: Uint8Array } {
  if (code !== 0) throw new ConnectError(message, code);
  return { payload };
}

async function answerLater(
  request: EchoRequest,
  signal: AbortSignal,
  clock: Clock,
): Promise<{ payload: Uint8Array }> {
  return new Promise((resolve, reject) => {
    const stop = clock.after(request.delayMs, () => {
      try {
        resolve(answer(request));
      } catch (error) {
        reject(error);
      }
    });
    signal.addEventListener("abort", () => {
      stop();
      reject(signal.reason);
    });
  });
}
