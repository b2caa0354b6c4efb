/**
 * Runs WebAssembly guests and wires them to the dispatch registry.
 *
 * @packageDocumentation
 */
export { checkInstances, type GuestConfig } from "./guest-config.ts";
export type { ExitOptions } from "./exit-options.ts";
export {
  EXIT_NO_ENTRY,
  EXIT_NOT_LAUNCHED,
  EXIT_PANIC,
  EXIT_TRAP,
  GuestError,
  type GuestExit,
} from "./guest-exit.ts";
export { createHost, type Host } from "./host.ts";
export type { HostOptions } from "./host-options.ts";
export {
  DEFAULT_LIMITS,
  type GuestLimits,
  type HostLimits,
  type Limits,
  limitsOf,
} from "./limits.ts";
export { readModule } from "./module-bytes.ts";
export type { GuestChange } from "./replacement.ts";
export { canSuspend } from "./suspension.ts";
