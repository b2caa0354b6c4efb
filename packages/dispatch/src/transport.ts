import { Code, ConnectError, type Transport } from "@connectrpc/connect";
import type { Session } from "./session.ts";

/**
 * A Connect transport over a session, so that Connect's own `createClient` works: no HTTP, no copy, no socket.
 * Streams answer UNIMPLEMENTED.
 */
export function createTransport(session: Session): Transport {
  return {
    // An async function would cost a promise and three turns of the microtasks.
    unary(method, signal, timeoutMs, header, input, values) {
      return session.unary(method, input, { signal, timeoutMs, header, values });
    },
    async stream(method) {
      throw new ConnectError(
        `${method.parent.typeName}/${method.name} streams, which Dropthrough cannot yet`,
        Code.Unimplemented,
      );
    },
  };
}
