// What an AssemblyScript guest links against. See the package's README.
export { bytesOf, EMPTY } from "./empty";
export { Code, codeName } from "./code";
export { UnknownFields } from "./unknown-fields";
export { Reader } from "./reader";
export { Writer } from "./writer";
export { decode, Message } from "./message";
export { describe, fail, failWith, newStatus, ok, okStatus, Result } from "./result";
export { pack, unpack } from "./any";
export { Method } from "./method";
export { Incoming } from "./incoming";
export { PassThrough, Service } from "./service";
export {
  args,
  atExit,
  environment,
  exit,
  kernel,
  Launch,
  launch,
  monotonicNs,
  now,
  random,
} from "./kernel";
export {
  answer,
  answerCalls,
  IncomingCall,
  receive,
  ReceiveResponse,
  ReceiveResponse_EventCase,
} from "./receive";
export { RetryInfo, Status } from "./gen/dropthrough/abi/v1/status";
export { Any } from "./gen/google/protobuf/any";
export { Duration } from "./gen/google/protobuf/duration";
export { Level } from "./gen/dropthrough/log/v1/log";
export { attributes, Attributes, values, Values } from "./log-attributes";
export { log } from "./log";
export { console } from "./console";
export { Timestamp } from "./gen/google/protobuf/timestamp";
