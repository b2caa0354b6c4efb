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
export { args, exit, kernel, Launch, launch } from "./kernel";
export { RetryInfo, Status } from "./gen/dropthrough/abi/v1/status";
export { Any } from "./gen/google/protobuf/any";
export { Duration } from "./gen/google/protobuf/duration";
