import type { DescMessage, DescMethodUnary, DescService, MessageShape } from "@bufbuild/protobuf";
import { Code, ConnectError, type Transport, type UnaryResponse } from "@connectrpc/connect";
import type { Call } from "./call.ts";
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
      return new Answered(method, call, message);
    },
    async stream(method) {
      throw new ConnectError(
        `${method.parent.typeName}/${method.name} streams, which Dropthrough cannot yet`,
        Code.Unimplemented,
      );
    },
  };
}

/** Connect's response over a call. A class, since an object with getters of its own is slow to make. */
class Answered<I extends DescMessage, O extends DescMessage> implements UnaryResponse<I, O> {
  readonly stream = false;
  readonly method: DescMethodUnary<I, O>;
  readonly service: DescService;
  readonly message: MessageShape<O>;
  readonly #call: Call;

  constructor(method: DescMethodUnary<I, O>, call: Call, message: MessageShape<O>) {
    this.method = method;
    this.service = method.parent;
    this.message = message;
    this.#call = call;
  }
  get header(): Headers {
    return this.#call.responseHeader;
  }
  get trailer(): Headers {
    return this.#call.responseTrailer;
  }
}
