import { create, type DescMethodUnary, type Message } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { codecOf } from "@dropthrough/codec";
import type { Backend } from "./backend.ts";
import type { Call } from "./call.ts";
import type { ByteEntry } from "./entry.ts";
import { type Answer, intercept, type Interceptor, isPromise } from "./interceptor.ts";
import { isUnary, type Method } from "./method.ts";

/** A handler as it stands in `impl`, its types worn off. */
type Handler = (request: Message, context: Call) => unknown;

/**
 * What answers a method, message for message, with the interceptors around it.
 *
 * @throws ConnectError UNIMPLEMENTED from the answer, if the backend leaves the method out or it streams;
 *   FAILED_PRECONDITION if there is no descriptor to decode with
 */
export function answerOf(method: Method, interceptors: readonly Interceptor[]): Answer {
  const { entry, desc, name } = method;
  if (desc === undefined) {
    return refuse(
      Code.FailedPrecondition,
      `no descriptor is known for ${name}: build "${entry.name}" with a manifest, or give its services in the config`,
    );
  }
  if (!isUnary(desc))
    return refuse(Code.Unimplemented, `${name} streams, which guests cannot call yet`);
  const answer = entry.kind === "backend" ? backendAnswer(entry, desc) : byteAnswer(entry, desc);
  return intercept(interceptors, answer);
}

function refuse(code: Code, message: string): Answer {
  return () => {
    throw new ConnectError(message, code);
  };
}

function backendAnswer(backend: Backend, desc: DescMethodUnary): Answer {
  const impl = backend.impl as Record<string, Handler | undefined>;
  const handler = impl[desc.localName]?.bind(backend.impl);
  if (handler === undefined) {
    return refuse(
      Code.Unimplemented,
      `the backend "${backend.name}" does not implement ${desc.name}`,
    );
  }
  const shape = (response: unknown): Message => messageOf(desc, response);
  return (request, call) => {
    const response = handler(request, call);
    return isPromise(response) ? Promise.resolve(response).then(shape) : shape(response);
  };
}

/** The message that a handler meant: it may answer one, or the init shape of one. */
function messageOf(desc: DescMethodUnary, response: unknown): Message {
  if (typeof response !== "object" || response === null) {
    throw new TypeError(
      `the handler of ${desc.parent.typeName}/${desc.name} answered ${String(response)}, no message`,
    );
  }
  const typeName = (response as Partial<Message>).$typeName;
  if (typeName === desc.output.typeName) return response as Message;
  if (typeName !== undefined) {
    throw new TypeError(
      `the handler of ${desc.parent.typeName}/${desc.name} answered a ${typeName}, not a ${desc.output.typeName}`,
    );
  }
  return create(desc.output, response as Record<string, unknown>);
}

function byteAnswer(entry: ByteEntry, desc: DescMethodUnary): Answer {
  const input = codecOf(desc.input);
  const output = codecOf(desc.output);
  const decode = (bytes: Uint8Array): Message => {
    try {
      return output.decode(bytes, 0, bytes.length);
    } catch (cause) {
      const message = `"${entry.name}" answered ${desc.name} with bytes that are no ${desc.output.typeName}`;
      throw new ConnectError(message, Code.Internal, undefined, undefined, cause);
    }
  };
  return (request, call) => {
    const response = entry.answer(desc.name, input.encode(request), call);
    return isPromise(response) ? response.then(decode) : decode(response);
  };
}
