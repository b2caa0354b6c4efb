import { Code } from "./code";
import { reply } from "./dropthrough_v1";
import { Status } from "./gen/dropthrough/abi/v1/status";
import { Message, readMessage } from "./message";
import { Method } from "./method";
import { newStatus, Result } from "./result";
import { requests, responses } from "./scratch";
import { writer } from "./writer";

/** A call that this guest was given to answer. It lives as long as the handler runs. */
@final
export class Incoming {
  private done: bool = false;

  constructor(
    private readonly call: i32,
    /** How long the request is, in bytes. */
    readonly length: i32,
  ) {}

  /** Whether it was answered. */
  get answered(): bool {
    return this.done;
  }

  /** The request; null if it is not a T, and then the call is answered INVALID_ARGUMENT already. */
  decode<T extends Message>(): T | null {
    const request = instantiate<T>();
    if (readMessage(request, requests.ptr, this.length)) return request;
    this.fail(Code.INVALID_ARGUMENT, "the request is not a " + request.typeName());
    return null;
  }

  /** A copy of the request's bytes. */
  bytes(): Uint8Array {
    const copy = new Uint8Array(this.length);
    memory.copy(copy.dataStart, requests.ptr, this.length);
    return copy;
  }

  /** Answers with what a handler came to. */
  answer<T extends Message>(result: Result<T>): void {
    if (!result.ok) return this.answerStatus(result.status);
    this.answerMessage(result.value);
  }

  private answerMessage(response: Message): void {
    if (!response.initialized()) {
      this.fail(Code.INTERNAL, "a required field of " + response.typeName() + " is not set");
      return;
    }
    writer.reset();
    response.write(writer);
    this.send(Code.OK, writer.ptr, writer.length);
  }

  /** Answers with bytes that are an encoded response. */
  answerBytes(result: Result<Uint8Array>): void {
    if (!result.ok) return this.answerStatus(result.status);
    const response = result.value;
    this.send(Code.OK, response.dataStart, response.length);
  }

  /** Answers with a failure. */
  fail(code: i32, message: string): void {
    this.answerStatus(newStatus(code, message));
  }

  /** Answers with a status; one that is no failure is answered as INTERNAL. */
  answerStatus(status: Status): void {
    writer.reset();
    status.write(writer);
    const code = status.code >= 1 && status.code <= 16 ? status.code : Code.INTERNAL;
    this.send(code, writer.ptr, writer.length);
  }

  /** Passes the request on as it is and the response or status back as it is: nothing is decoded. */
  forward(method: Method, timeoutMs: i32 = 0): void {
    const status = method.send(requests.ptr, this.length, timeoutMs);
    if (status !== null) return this.answerStatus(status);
    this.send(Code.OK, responses.ptr, responses.length);
    responses.trim();
  }

  private send(code: i32, ptr: usize, length: i32): void {
    if (this.done) return;
    this.done = true;
    // A caller that is gone is no news. A response that the host finds too large is: say so instead.
    if (reply(this.call, code, ptr, length) != -Code.RESOURCE_EXHAUSTED) return;
    this.done = code != Code.OK;
    this.fail(
      Code.RESOURCE_EXHAUSTED,
      "the response of " + length.toString() + " bytes is larger than the host takes",
    );
  }
}
