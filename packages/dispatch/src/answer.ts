import type { DescMethodUnary, Message } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { type Codec, type CodecOptions, codecOf } from "@dropthrough/codec";
import type { Backend } from "./backend.ts";
import type { Call } from "./call.ts";
import type { ByteEntry } from "./entry.ts";
import { type Answer, intercept, type Interceptor } from "./interceptor.ts";
import { isUnary, type Method } from "./method.ts";

/** A handler as it stands in `impl`, its types worn off. */
type Handler = (request: Message, context: Call) => unknown;

/**
 * What answers a method, message for message, with the interceptors around it.
 *
 * @throws ConnectError UNIMPLEMENTED from the answer, if the backend leaves the method out or it streams;
 *   FAILED_PRECONDITION if there is no descriptor to decode with
 */
export function answerOf(
  method: Method,
  interceptors: readonly Interceptor[],
  codec: CodecOptions,
): Answer {
  const { entry, desc, name } = method;
  if (desc === undefined) {
    return refuse(
      Code.FailedPrecondition,
      `no descriptor is known for ${name}: build "${entry.name}" with a manifest, or give its services in the config`,
    );
  }
  if (!isUnary(desc))
    return refuse(Code.Unimplemented, `${name} streams, which guests cannot call yet`);
  const answer =
    entry.kind === "backend" ? backendAnswer(entry, desc, codec) : byteAnswer(entry, desc, codec);
  return intercept(interceptors, answer);
}

function refuse(code: Code, message: string): Answer {
  const answer = (): never => {
    throw new ConnectError(message, code);
  };
  return { answer, response: answer };
}

function backendAnswer(backend: Backend, desc: DescMethodUnary, codec: CodecOptions): Answer {
  const impl = backend.impl as Record<string, Handler | undefined>;
  const handler = impl[desc.localName];
  if (handler === undefined) {
    return refuse(
      Code.Unimplemented,
      `the backend "${backend.name}" does not implement ${desc.name}`,
    );
  }
  const output = codecOf(desc.output, codec);
  return {
    answer: (request, call) => handler.call(impl, request, call),
    response: (answered) => messageOf(desc, output, answered),
  };
}

/** The message that a handler meant: it may answer one, or the init shape of one. */
function messageOf(desc: DescMethodUnary, output: Codec, response: unknown): Message {
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
  return output.create(response as Record<string, unknown>);
}

function byteAnswer(entry: ByteEntry, desc: DescMethodUnary, codec: CodecOptions): Answer {
  const input = codecOf(desc.input, codec);
  const output = codecOf(desc.output, codec);
  return {
    answer: (request, call) => entry.answer(desc.name, input.encode(request), call),
    response(answered) {
      const bytes = answered as Uint8Array;
      try {
        return output.decode(bytes, 0, bytes.length);
      } catch (cause) {
        const message = `"${entry.name}" answered ${desc.name} with bytes that are no ${desc.output.typeName}`;
        throw new ConnectError(message, Code.Internal, undefined, undefined, cause);
      }
    },
  };
}
