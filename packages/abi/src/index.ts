/**
 * The boundary: guest memory to calls and back (docs/ABI.md). Pure: no Node API, it runs in a browser too.
 *
 * @packageDocumentation
 */
export { type BoundMethod, isPending, type Pending, type PendingListener } from "./bound-method.ts";
export type { Reply } from "./call-table.ts";
export { ConnectError } from "@connectrpc/connect";
export { Code, codeName, isCode } from "./code.ts";
export { Endpoint, type EndpointOptions } from "./endpoint.ts";
export type { Finished, FinishedCalls } from "./finished-calls.ts";
export { GuestMemory } from "./guest-memory.ts";
export type { Incoming } from "./incoming-calls.ts";
export { Passage } from "./passage.ts";
export { type AbiLimits, DEFAULT_ABI_LIMITS } from "./limits.ts";
export { type Manifest, ManifestSchema } from "./gen/dropthrough/abi/v1/manifest_pb.ts";
export {
  type RetryInfo,
  RetryInfoSchema,
  type Status,
  StatusSchema,
} from "./gen/dropthrough/abi/v1/status_pb.ts";
export {
  MAX_CALL_NUMBER,
  PARKED,
  parkedWord,
  PENDING,
  pendingWord,
  readWord,
  type Result,
} from "./result-word.ts";
export { copyBytes } from "./slab.ts";
export { decodeStatus, encodeStatus } from "./status.ts";
export {
  ABI_MODULE,
  ABORT_GLOBALS,
  EXPORTS,
  type GuestModule,
  IMPORTS,
  readGuestModule,
} from "./guest-module.ts";
export { manifestServices } from "./manifest-services.ts";
export { limitedModule, type ModuleLimits } from "./limited-module.ts";
export { ModuleError } from "./module-error.ts";
export {
  type ModuleExport,
  type ModuleImport,
  type ModuleInfo,
  readModule,
} from "./module-reader.ts";
export type { ExternKind, MemoryInfo, TableInfo } from "./section-reader.ts";
