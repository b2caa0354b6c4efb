import type { DescMessage, Message, MessageShape } from "@bufbuild/protobuf";
import { Code, ConnectError, type UnaryRequest, type UnaryResponse } from "@connectrpc/connect";
import type { Call } from "./call.ts";
import { isUnary } from "./method.ts";

/**
 * Wraps every call of a registry: Connect's `(next) => (req) => res`, and it may be synchronous where Connect's may not.
 * The first of a list is the outermost.
 *
 * ```ts
 * const audit: Interceptor = (next) => (request) => {
 *   console.log(request.method.name, request.contextValues.get(callerKey)?.name);
 *   return next(request);
 * };
 * ```
 */
export type Interceptor = (next: UnaryFn) => UnaryFn;

/** The rest of a call. */
export type UnaryFn = (request: UnaryRequest) => UnaryResponse | Promise<UnaryResponse>;

/** What answers a call in the end. */
export interface Answer<Request = Message, Response = Message> {
  /** Answers at once, or with a promise. */
  answer(request: Request, call: Call): unknown;
  /** The response that was meant by what was answered; throws if it is none. */
  response(answered: unknown): Response;
}

/** Wraps an answer into interceptors; with none it is the answer itself, so none cost nothing. */
export function intercept(interceptors: readonly Interceptor[], inner: Answer): Answer {
  return interceptors.length === 0 ? inner : new InterceptedAnswer(interceptors, inner);
}

class InterceptedAnswer implements Answer {
  readonly #interceptors: readonly Interceptor[];
  readonly #inner: Answer;

  constructor(interceptors: readonly Interceptor[], inner: Answer) {
    this.#interceptors = interceptors;
    this.#inner = inner;
  }

  answer(message: Message, call: Call): unknown {
    const inner = this.#inner;
    const innermost: UnaryFn = (request) => {
      // Whoever is around it may have waited: nobody asks for it any more.
      if (call.aborted !== undefined) throw call.aborted;
      const answered = inner.answer(wholeRequest(call, request).message, call);
      if (!isPromise(answered)) return new Response(call, inner.response(answered));
      const response = whileWanted(call, answered).then(
        (m) => new Response(call, inner.response(m)),
      );
      // An interceptor may leave it alone: then nobody hears of its failure, which must not end the process.
      response.catch(() => {});
      return response;
    };
    const outermost = this.#interceptors.reduceRight<UnaryFn>(
      (next, one) => around(call, one(next)),
      innermost,
    );
    return outermost(new Request(call, message));
  }

  response(answered: unknown): Message {
    return (answered as UnaryResponse).message;
  }
}

/** An interceptor and what is inside of it: what either of them passes on may be a copy, which lacks what is made when asked for. */
function around(call: Call, intercepted: UnaryFn): UnaryFn {
  return (request) => {
    const answered = intercepted(wholeRequest(call, request));
    if (!isPromise(answered)) return wholeResponse(call, answered);
    const response = answered.then((one) => wholeResponse(call, one));
    // As above: whoever is around it may leave it alone.
    response.catch(() => {});
    return response;
  };
}

function wholeRequest(call: Call, request: UnaryRequest): UnaryRequest {
  if (request instanceof Request) return request;
  const { header, contextValues }: Partial<UnaryRequest> = request;
  call.send(contextValues, header);
  return new Request(call, request.message);
}

function wholeResponse(call: Call, response: UnaryResponse): UnaryResponse {
  if (response instanceof Response) return response;
  const message = (response as Partial<UnaryResponse> | undefined)?.message;
  if (message === undefined)
    throw new TypeError(`an interceptor answered ${typeof response}, no response`);
  return new Response(call, message);
}

/** What interceptors wait for ends when the call is given up, though nobody may ever answer it. */
async function whileWanted<T>(call: Call, answered: PromiseLike<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    Promise.resolve(answered).then(resolve, reject);
    call.onAbort(reject);
  });
}

/** Whether a value is a promise: detected by value, since an async function need not be declared as one. */
export function isPromise<T>(value: T | PromiseLike<T>): value is PromiseLike<T> & Promise<T> {
  return (
    typeof value === "object" &&
    value !== null &&
    typeof (value as Partial<PromiseLike<T>>).then === "function"
  );
}

function unaryDesc(call: Call): UnaryRequest["method"] {
  if (isUnary(call.method)) return call.method;
  throw new ConnectError(`${call.name} streams, which guests cannot call yet`, Code.Unimplemented);
}

/** Connect's request over a call, its parts made when asked for. */
class Request implements UnaryRequest {
  readonly stream = false;
  readonly requestMethod = "POST";
  readonly message: UnaryRequest["message"];
  readonly #call: Call;

  constructor(call: Call, message: Message) {
    this.#call = call;
    this.message = message;
  }

  get method(): UnaryRequest["method"] {
    return unaryDesc(this.#call);
  }
  get service(): UnaryRequest["service"] {
    return this.#call.service;
  }
  get url(): string {
    return this.#call.url;
  }
  get signal(): AbortSignal {
    return this.#call.signal;
  }
  get header(): Headers {
    return this.#call.requestHeader;
  }
  get contextValues(): UnaryRequest["contextValues"] {
    return this.#call.values;
  }
}

/** Connect's response over a call. */
export class Response<
  I extends DescMessage = DescMessage,
  O extends DescMessage = DescMessage,
> implements UnaryResponse<I, O> {
  readonly stream = false;
  readonly message: MessageShape<O>;
  readonly call: Call;

  constructor(call: Call, message: MessageShape<O>) {
    this.call = call;
    this.message = message;
  }

  get method(): UnaryResponse<I, O>["method"] {
    return unaryDesc(this.call) as UnaryResponse<I, O>["method"];
  }
  get service(): UnaryResponse["service"] {
    return this.call.service;
  }
  get header(): Headers {
    return this.call.responseHeader;
  }
  get trailer(): Headers {
    return this.call.responseTrailer;
  }
}
