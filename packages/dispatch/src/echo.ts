import { ConnectError } from "@connectrpc/connect";
import { type Backend, defineBackend } from "./backend.ts";
import { EchoService } from "./gen/dropthrough/testing/v1/echo_pb.ts";

/** A backend that answers what it is asked: at once, later, or with an error. For tests of hosts and guests. */
export function echo(): Backend<typeof EchoService> {
  return defineBackend({
    name: "echo",
    service: EchoService,
    impl: {
      echo({ payload, delayMs, code, message }, context) {
        const answer = (): { payload: Uint8Array } => {
          if (code !== 0) throw new ConnectError(message, code);
          return { payload };
        };
        if (delayMs === 0) return answer();
        const { signal } = context;
        return new Promise((resolve, reject) => {
          const timer = setTimeout(() => {
            try {
              resolve(answer());
            } catch (error) {
              reject(error);
            }
          }, delayMs);
          signal.addEventListener("abort", () => {
            clearTimeout(timer);
            reject(signal.reason);
          });
        });
      },
      forward: ({ payload }) => ({ payload }),
    },
  });
}
