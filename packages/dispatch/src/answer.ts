import type { DescMethodUnary, Message } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { type Codec, type CodecOptions, codecOf } from "@dropthrough/codec";
import { namesOf } from "./backend-check.ts";
import type { Backend } from "./backend.ts";
import type { Call } from "./call.ts";
import type { Dispatch } from "./call-outcome.ts";
import type { ByteEntry } from "./entry.ts";
import { FieldsLimit } from "./fields-limit.ts";
import { type Answer, intercept, type Interceptor } from "./interceptor.ts";
import { isUnary, type Method } from "./method.ts";
import { similarName } from "./similar-name.ts";

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
  dispatch: Pick<Dispatch, "codec" | "limits">,
): Answer {
  const { entry, desc, name } = method;
  if (desc === undefined) {
    return new Refusal(
      Code.FailedPrecondition,
      `no descriptor is known for ${name}: build "${entry.name}" with a manifest, or give its services in the config`,
    );
  }
  if (!isUnary(desc))
    return new Refusal(Code.Unimplemented, `${name} streams, which guests cannot call yet`);
  return intercept(
    interceptors,
    entry.kind === "backend"
      ? backendAnswer(entry, desc, dispatch.codec)
      : new GuestAnswer(entry, desc, dispatch),
  );
}

function backendAnswer(backend: Backend, desc: DescMethodUnary, codec: CodecOptions): Answer {
  const impl = backend.impl as Record<string, Handler | undefined>;
  const handler = impl[desc.localName];
  if (handler === undefined) {
    const meant = similarName(desc.localName, namesOf(impl));
    return new Refusal(
      Code.Unimplemented,
      `the backend "${backend.name}" does not implement ${desc.name}` +
        (meant === undefined ? "" : `: it has "${meant}", but no "${desc.localName}"`),
    );
  }
  return new HandlerAnswer(impl, handler, desc, codecOf(desc.output, codec));
}

/** Answers with an error, whatever it is asked. */
class Refusal implements Answer {
  readonly #message: string;
  readonly #code: Code;

  constructor(code: Code, message: string) {
    this.#code = code;
    this.#message = message;
  }

  answer(): never {
    throw new ConnectError(this.#message, this.#code);
  }

  response(): never {
    return this.answer();
  }
}

/** A method of a backend. */
class HandlerAnswer implements Answer {
  readonly #impl: object;
  readonly #handler: Handler;
  readonly #desc: DescMethodUnary;
  readonly #typeName: string;
  readonly #output: Codec;

  constructor(impl: object, handler: Handler, desc: DescMethodUnary, output: Codec) {
    this.#impl = impl;
    this.#handler = handler;
    this.#desc = desc;
    this.#typeName = desc.output.typeName;
    this.#output = output;
  }

  answer(request: Message, call: Call): unknown {
    return this.#handler.call(this.#impl, request, call);
  }

  /** The message that the handler meant: it may answer one, or the init shape of one. */
  response(answered: unknown): Message {
    if (typeof answered !== "object" || answered === null) throw this.#noMessage(String(answered));
    const typeName = (answered as Partial<Message>).$typeName;
    if (typeName === this.#typeName) return answered as Message;
    if (typeName !== undefined) throw this.#noMessage(`a ${typeName}`);
    return this.#output.create(answered as Record<string, unknown>);
  }

  #noMessage(what: string): TypeError {
    const { parent, name } = this.#desc;
    return new TypeError(
      `the handler of ${parent.typeName}/${name} answered ${what}, no ${this.#typeName}`,
    );
  }
}

/** A method of a guest, for messages: the guest answers bytes. */
class GuestAnswer implements Answer {
  readonly #entry: ByteEntry;
  readonly #desc: DescMethodUnary;
  readonly #input: Codec;
  readonly #output: Codec;
  readonly #most: FieldsLimit;

  constructor(
    entry: ByteEntry,
    desc: DescMethodUnary,
    { codec, limits }: Pick<Dispatch, "codec" | "limits">,
  ) {
    this.#entry = entry;
    this.#desc = desc;
    this.#input = codecOf(desc.input, codec);
    this.#output = codecOf(desc.output, codec);
    this.#most = new FieldsLimit(desc.output, limits.guestFields, true);
  }

  answer(request: Message, call: Call): unknown {
    return this.#entry.answer(this.#desc.name, this.#encode(request), call);
  }

  /** A message that was read need not be one that can be written: it may lack what it must have. */
  #encode(request: Message): Uint8Array {
    try {
      return this.#input.encode(request);
    } catch (cause) {
      throw noRequest(this.#input.desc.typeName, cause);
    }
  }

  response(answered: unknown): Message {
    const bytes = answered as Uint8Array;
    if (this.#most.isExceeded(bytes, 0, bytes.length)) throw this.#most.error();
    try {
      return this.#output.decode(bytes, 0, bytes.length);
    } catch (cause) {
      const { parent, name, output } = this.#desc;
      throw noResponse(`${parent.typeName}/${name}`, output.typeName, cause);
    }
  }
}

/** What a guest sent is no message of the type. */
export function noRequest(typeName: string, cause: unknown): ConnectError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new ConnectError(
    `the request is no ${typeName}: ${why}`,
    Code.InvalidArgument,
    undefined,
    undefined,
    cause,
  );
}

/** What a guest answered is no message of the type. */
export function noResponse(method: string, typeName: string, cause: unknown): ConnectError {
  return new ConnectError(
    `the response of ${method} is no ${typeName}`,
    Code.Internal,
    undefined,
    undefined,
    cause,
  );
}
