import { Code, ConnectError, type Transport } from "@connectrpc/connect";
import type { Session } from "./session.ts";

/**
 * A Connect transport over a session, so that Connect's own `createClient` works: no HTTP, no copy, no socket.
 * Streams answer UNIMPLEMENTED.
 */
export function createTransport(session: Session): Transport {
  return {
    async unary(method, signal, timeoutMs, header, input, values) {
      const { call, message } = await session.unary(method, input, {
        signal,
        timeoutMs,
        header,
        values,
      });
      return {
        stream: false,
        method,
        service: method.parent,
        message,
        get header() {
          return call.responseHeader;
        },
        get trailer() {
          return call.responseTrailer;
        },
      };
    },
    async stream(method) {
      throw new ConnectError(
        `${method.parent.typeName}/${method.name} streams, which Dropthrough cannot yet`,
        Code.Unimplemented,
      );
    },
  };
}
