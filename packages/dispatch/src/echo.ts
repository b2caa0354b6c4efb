import { ConnectError } from "@connectrpc/connect";
import { type Backend, defineBackend } from "./backend.ts";
import type { Clock } from "./guest.ts";
import { systemClock } from "./system-clock.ts";
import { EchoService } from "./gen/dropthrough/testing/v1/echo_pb.ts";

/** A backend that answers what it is asked: at once, later, or with an error. For tests of hosts and guests. */
export function echo(): Backend<typeof EchoService> {
  let clock: Clock = systemClock;
  return defineBackend({
    name: "echo",
    service: EchoService,
    attach: (directory) => void (clock = directory.clock),
    impl: {
      echo({ payload, delayMs, code, message }, context) {
        const answer = (): { payload: Uint8Array } => {
          if (code !== 0) throw new ConnectError(message, code);
          return { payload };
        };
        if (delayMs === 0) return answer();
        const { signal } = context;
        return new Promise((resolve, reject) => {
          const stop = clock.after(delayMs, () => {
            try {
              resolve(answer());
            } catch (error) {
              reject(error);
            }
          });
          signal.addEventListener("abort", () => {
            stop();
            reject(signal.reason);
          });
        });
      },
      forward: ({ payload }) => ({ payload }),
    },
  });
}
