import { Code, codeName } from "./code";
import { bind, call, read, release, wait } from "./dropthrough_v1";
import { Status } from "./gen/dropthrough/abi/v1/status";
import { Message, readMessage } from "./message";
import { failWith, newStatus, ok, Result } from "./result";
import { responses } from "./scratch";
import { writer } from "./writer";

// The states of a result word below 0; see docs/ABI.md.
const PENDING: i32 = 2;

/** One method of a service that this guest calls. Bound when it is first called. */
@final
export class Method {
  private number: i32 = -1;

  /** `name` is "package.Service/Method". */
  constructor(readonly name: string) {}

  /** The method's number, or minus a Code. A failure is not remembered: it may be granted later. */
  bind(): i32 {
    if (this.number >= 0) return this.number;
    const name = String.UTF8.encode(this.name);
    const number = bind(changetype<usize>(name), name.byteLength);
    if (number >= 0) this.number = number;
    return number;
  }

  /**
   * Calls with a message and answers a message. `timeoutMs` 0 inherits the caller's deadline.
   *
   * Codes: those of the method; INVALID_ARGUMENT if a required field of the request is not set; INTERNAL if the
   * response is not an O; what `bind` answers if this guest may not call it.
   */
  call<I extends Message, O extends Message>(request: I, timeoutMs: i32 = 0): Result<O> {
    const response = instantiate<O>();
    const status = this.exchange(request, response, timeoutMs);
    return status === null ? ok<O>(response) : failWith<O>(status);
  }

  // Not generic: it would be compiled again for every pair of messages.
  private exchange(request: Message, response: Message, timeoutMs: i32): Status | null {
    if (!request.initialized()) {
      const why = "a required field of " + request.typeName() + " is not set";
      return newStatus(Code.INVALID_ARGUMENT, why);
    }
    writer.reset();
    request.write(writer);
    const status = this.send(writer.ptr, writer.length, timeoutMs);
    if (status !== null) return status;
    const good = readMessage(response, responses.ptr, responses.length);
    responses.trim();
    if (good) return null;
    const why = "the response of " + this.name + " is not a " + response.typeName();
    return newStatus(Code.INTERNAL, why);
  }

  /** Calls with an encoded message and answers an encoded message: nothing is decoded. */
  callBytes(request: Uint8Array, timeoutMs: i32 = 0): Result<Uint8Array> {
    const status = this.send(request.dataStart, request.length, timeoutMs);
    if (status !== null) return failWith<Uint8Array>(status);
    const response = responses.toBytes();
    responses.trim();
    return ok<Uint8Array>(response);
  }

  /**
   * Calls with the `length` bytes at `ptr`. Null: the response stands in `responses`. Else: why it failed.
   *
   * ```
   * word >= 0   that many bytes stand at responses.ptr
   * word <  0   ~word:  bits 26-30 code │ 25-24 state │ 23-0 call number
   * ```
   */
  send(ptr: usize, length: i32, timeoutMs: i32): Status | null {
    const number = this.bind();
    if (number < 0) return newStatus(-number, cannotBind(this.name, -number));
    let word = call(number, ptr, length, responses.ptr, responses.capacity, timeoutMs);
    while (word < 0 && ((~word >> 24) & 3) == PENDING) {
      word = wait(~word & 0xffffff, responses.ptr, responses.capacity);
    }
    if (word >= 0) {
      responses.length = word;
      return null;
    }
    const code = (~word >> 26) & 31;
    const took = take(~word & 0xffffff);
    if (code == 0) {
      if (took == 0) return null;
      return newStatus(
        took,
        "the response of " + this.name + " could not be read: " + codeName(took),
      );
    }
    const status = new Status();
    if (took != 0 || !readMessage(status, responses.ptr, responses.length)) {
      return newStatus(code, this.name + " answered " + codeName(code) + " and could not say why");
    }
    responses.trim();
    status.code = code;
    return status;
  }
}

/** Moves a parked body into `responses` and frees it; answers 0 or a Code. */
function take(number: i32): i32 {
  if (number == 0) return Code.RESOURCE_EXHAUSTED; // the host had no room to keep the body
  const length = read(number, 0, 0, 0);
  let code = length < 0 ? -length : 0;
  if (code == 0) {
    responses.reserve(length);
    const copied = read(number, 0, responses.ptr, length);
    responses.length = length;
    if (copied < 0) code = -copied;
  }
  release(number);
  return code;
}

function cannotBind(name: string, code: i32): string {
  switch (code) {
    case Code.NOT_FOUND:
      return "nobody serves " + name;
    case Code.PERMISSION_DENIED:
      return "this guest was not granted " + name + "; ask the operator";
    case Code.FAILED_PRECONDITION:
      return name + " was not required; name its service in require() and launch first";
    default:
      return "cannot bind " + name + ": " + codeName(code);
  }
}
