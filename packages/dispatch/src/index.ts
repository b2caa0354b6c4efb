/**
 * The registry that backends plug into, and that every call goes through: guest → abi → dispatch → backend → back.
 *
 * @packageDocumentation
 */
export {
  type Backend,
  BACKEND_VERSION,
  type BackendInit,
  brand,
  defineBackend,
  type Health,
} from "./backend.ts";
export { Call, callOf, type CallObserver, type CallRecord } from "./call.ts";
export {
  type Caller,
  callerKey,
  callerOf,
  LocalCaller,
  type PerCaller,
  perCaller,
} from "./caller.ts";
export { type ByteEntry, type ByteEntryInit, defineByteEntry, type Entry } from "./entry.ts";
export { Deferred } from "./deferred.ts";
export { Grants, splitMethodName } from "./grants.ts";
export {
  type Clock,
  type Directory,
  type EntryKind,
  type ExitEvent,
  type Guest,
  type GuestEvent,
  type ServiceInfo,
} from "./guest.ts";
export type { BackendHealth } from "./health.ts";
export type { Interceptor, UnaryFn } from "./interceptor.ts";
export { DEFAULT_DISPATCH_LIMITS, type DispatchLimits } from "./limits.ts";
export { type Method, methodOf } from "./method.ts";
export { checkBounds, checkKeys } from "./key-check.ts";
export { checkOptions, type ProgramOptions } from "./option-check.ts";
export { printable } from "./printable.ts";
export { createRegistry, type Incident, type Registry, type RegistryOptions } from "./registry.ts";
export { similarName } from "./similar-name.ts";
export { type Scheduler, schedulerOn } from "./scheduler.ts";
export { type CallOptions, pathOf, Session } from "./session.ts";
export {
  readTraceparent,
  type TraceContext,
  type TraceParent,
  writeTraceparent,
} from "./trace-context.ts";
export { createTransport } from "./transport.ts";
export { type RetryInfo, RetryInfoSchema } from "@dropthrough/abi";
export { bytesAt, bytesInto } from "@dropthrough/codec";
export { systemClock } from "./system-clock.ts";
