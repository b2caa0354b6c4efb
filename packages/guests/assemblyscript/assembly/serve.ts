import { Code, codeName } from "./code";
import { read, reply } from "./dropthrough_v1";
import { isLastCall, runHooks } from "./hooks";
import { Incoming } from "./incoming";
import { Method } from "./method";
import { Service } from "./service";
import { requests } from "./scratch";

/** What answers one method number. */
@final
class Handler {
  constructor(
    readonly service: Service,
    readonly index: i32,
  ) {}
}

// By method number, as `bind` gave them.
const handlers: Array<Handler | null> = [];

/** Binds the methods of a service that was exported, so that its calls reach it; answers 0 or a Code. */
export function attach(service: Service): i32 {
  const names = service.methodNames();
  for (let i = 0; i < names.length; i++) {
    const number = new Method(service.serviceName() + "/" + names[i]).bind();
    if (number < 0) return -number;
    while (handlers.length <= number) handlers.push(null);
    handlers[number] = new Handler(service, i);
  }
  return 0;
}

/**
 * The export that the host calls with each incoming call: reads the request, has it answered.
 *
 * An unknown method number is answered UNIMPLEMENTED, a request that cannot be read INTERNAL. The last call of all is no
 * method's: it is answered by what is to be done at exit.
 */
export function dropthrough_v1_serve(call: i32, method: i32, length: i32): void {
  if (isLastCall(method)) {
    runHooks();
    reply(call, Code.OK, 0, 0);
    return;
  }
  const incoming = new Incoming(call, length);
  const handler = <u32>method < <u32>handlers.length ? handlers[method] : null;
  if (handler === null) {
    incoming.fail(Code.UNIMPLEMENTED, "this guest does not serve method " + method.toString());
    return;
  }
  requests.reserve(length);
  const read_ = read(call, 0, requests.ptr, length);
  if (read_ != length) {
    const why = read_ < 0 ? codeName(-read_) : "it has another length";
    incoming.fail(Code.INTERNAL, "the request could not be read: " + why);
    return;
  }
  handler.service.answerCall(handler.index, incoming);
  if (!incoming.answered) incoming.fail(Code.INTERNAL, "the guest did not answer");
  requests.trim();
}
