import type { DescMessage, Message } from "@bufbuild/protobuf";
import { EmptySchema } from "@bufbuild/protobuf/wkt";
import type { ConnectError } from "@connectrpc/connect";
import { type BoundMethod, copyBytes, type Passage, type Pending } from "@dropthrough/abi";
import { type Codec, codecOf } from "@dropthrough/codec";
import { answerOf, noRequest, noResponse } from "./answer.ts";
import type { Call } from "./call.ts";
import type { Dispatch, Measured } from "./call-outcome.ts";
import { run } from "./dispatch.ts";
import type { ByteEntry } from "./entry.ts";
import { FieldsLimit } from "./fields-limit.ts";
import type { Answer, Interceptor } from "./interceptor.ts";
import { isUnary, type Method } from "./method.ts";

/** Who makes the calls. */
export interface Opener {
  /** Opens a call of one caller, with the deadline that it asked for (milliseconds; 0 inherits). */
  open(method: Method, timeoutMs: number): Call;
}

interface Types {
  readonly input: DescMessage;
  readonly output: DescMessage;
}

/**
 * A method as a guest has bound it: bytes in guest memory to an answer, and back.
 *
 * Between guests bytes stay bytes; they are decoded only if an interceptor is to see them.
 */
export function bindMethod(
  method: Method,
  dispatch: Dispatch,
  interceptors: readonly Interceptor[],
  opener: Opener,
): BoundMethod {
  const { entry, desc } = method;
  if (entry.kind !== "backend" && interceptors.length === 0)
    return new ByteBinding(method, entry, dispatch, opener);
  // What cannot be called is refused by its answer, whatever it was sent.
  const types =
    desc !== undefined && isUnary(desc) ? desc : { input: EmptySchema, output: EmptySchema };
  const borrows = entry.kind === "backend" && entry.borrows === true && interceptors.length === 0;
  const answer = answerOf(method, interceptors, dispatch);
  const Binding = entry.kind === "backend" ? MessageBinding : GuestBinding;
  return new Binding(method, types, dispatch, opener, answer, borrows);
}

/**
 * ```text
 *  guest memory ── decode ──▶ message ── answer ──▶ message ── encodeInto ──▶ guest memory
 * ```
 */
class MessageBinding implements BoundMethod<Message>, Measured<Message> {
  readonly name: string;
  readonly #method: Method;
  readonly #input: Codec;
  readonly #output: Codec;
  readonly #dispatch: Dispatch;
  readonly #opener: Opener;
  readonly #answer: Answer;
  readonly #borrows: boolean;
  readonly #most: FieldsLimit;

  constructor(
    method: Method,
    types: Types,
    dispatch: Dispatch,
    opener: Opener,
    answer: Answer,
    borrows: boolean,
  ) {
    this.name = method.name;
    this.#method = method;
    this.#input = codecOf(types.input, dispatch.codec);
    this.#output = codecOf(types.output, dispatch.codec);
    this.#dispatch = dispatch;
    this.#opener = opener;
    this.#answer = answer;
    this.#borrows = borrows;
    const guest = method.entry.kind !== "backend";
    const { guestFields } = dispatch.limits;
    this.#most = new FieldsLimit(types.input, method.maxFields ?? guestFields, guest);
  }

  start(
    memory: Uint8Array,
    at: number,
    end: number,
    timeoutMs: number,
  ): Message | Pending<Message> {
    const call = this.#opener.open(this.#method, timeoutMs);
    if (this.#dispatch.observers.size > 0) call.requestBytes = end - at;
    if (this.#most.isExceeded(memory, at, end)) return this.#refuseFields(call, this.#most.error());
    let request: Message;
    try {
      // An observer is shown the request, and may look at it after the handler has returned.
      const borrowed = this.#borrows && this.#dispatch.observers.size === 0;
      request = borrowed
        ? this.#input.decodeBorrowed(memory, at, end)
        : this.#input.decode(memory, at, end);
    } catch (cause) {
      return this.#refuse(call, noRequest(this.#input.desc.typeName, cause));
    }
    return run(this.#dispatch, call, request, this.#answer, this);
  }

  #refuseFields(call: Call, error: ConnectError): Message | Pending<Message> {
    const { entry } = this.#method;
    try {
      if (entry.kind === "backend") entry.refused?.(error, call);
    } catch (cause) {
      this.#dispatch.incident(cause, call);
    }
    return this.#refuse(call, error);
  }

  // Apart: what a function closes over, it allocates each time it is called.
  #refuse(call: Call, error: ConnectError): Message | Pending<Message> {
    const answer = (): never => {
      throw error;
    };
    return run<undefined, Message>(this.#dispatch, call, undefined, { answer, response: answer });
  }

  size(response: Message): number {
    return this.#output.encode(response).length;
  }

  write(response: Message, memory: Uint8Array, at: number, end: number): number {
    return this.#output.encodeInto(response, memory, at, end);
  }

  encode(response: Message): Uint8Array {
    return this.#output.encode(response);
  }
}

/** Of a guest's method: a message that was read need not be one that can be written. */
class GuestBinding extends MessageBinding {
  override write(response: Message, memory: Uint8Array, at: number, end: number): number {
    try {
      return super.write(response, memory, at, end);
    } catch (cause) {
      throw noResponse(this.name, response.$typeName, cause);
    }
  }

  override encode(response: Message): Uint8Array {
    try {
      return super.encode(response);
    } catch (cause) {
      throw noResponse(this.name, response.$typeName, cause);
    }
  }
}

/** A response as bytes; or how many of it stand in the caller's buffer already. */
type Bytes = Uint8Array | number;

/**
 * ```text
 *  guest memory ── passage ──▶ entry.pass ───▶ guest memory
 *  guest memory ── copy ──▶ entry.answer ── bytes ──▶ guest memory
 * ```
 */
class ByteBinding implements BoundMethod<Bytes> {
  readonly name: string;
  readonly pass?: (passage: Passage, timeoutMs: number) => Bytes | Pending<Bytes>;
  readonly #method: Method;
  readonly #dispatch: Dispatch;
  readonly #opener: Opener;
  readonly #answer: Answer<Uint8Array, Bytes>;

  constructor(method: Method, entry: ByteEntry, dispatch: Dispatch, opener: Opener) {
    this.name = method.name;
    this.#method = method;
    this.#dispatch = dispatch;
    this.#opener = opener;
    const response = (answered: unknown): Bytes => answered as Bytes;
    this.#answer = {
      answer: (request, call) => entry.answer(method.method, request, call),
      response,
    };
    if (entry.pass === undefined) return;
    const passing: Answer<Passage, Bytes> = {
      answer: (passage, call) => entry.pass?.(passage, call),
      response,
    };
    this.pass = (passage, timeoutMs) => {
      // An observer is shown bytes.
      if (dispatch.observers.size > 0) return this.#start(passage.copy(), timeoutMs);
      return run(dispatch, opener.open(method, timeoutMs), passage, passing);
    };
  }

  start(memory: Uint8Array, at: number, end: number, timeoutMs: number): Bytes | Pending<Bytes> {
    return this.#start(copyBytes(memory, at, end), timeoutMs);
  }

  #start(request: Uint8Array, timeoutMs: number): Bytes | Pending<Bytes> {
    return run(this.#dispatch, this.#opener.open(this.#method, timeoutMs), request, this.#answer);
  }

  write(response: Bytes, memory: Uint8Array, at: number, end: number): number {
    if (typeof response === "number") return response;
    if (response.length > end - at) return -1;
    memory.set(response, at);
    return response.length;
  }

  encode(response: Bytes): Uint8Array {
    if (typeof response === "number") throw new Error("a response that was passed is not parked");
    return response;
  }
}
