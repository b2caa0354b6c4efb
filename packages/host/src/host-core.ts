import type { Caller, Registry, Session } from "@dropthrough/dispatch";
import type { ExportedService } from "./exported-service.ts";
import type { GuestConfig } from "./guest-config.ts";
import type { GuestExit } from "./guest-exit.ts";
import type { GuestPool } from "./guest-pool.ts";

/** What the pools of a host share. */
export interface HostCore {
  readonly registry: Registry;
  /** The host is being disposed: nothing is started any more. */
  readonly closing: boolean;
  /** The service of that name, which guests export or may come to. */
  service(name: string): ExportedService;
  /** Opens the calls of a guest instance, with its grants. */
  connect(caller: Caller, config: GuestConfig): Session;
  /** A guest, or what one exports, has changed. */
  changed(): void;
  /** An instance has ended, and all that it opened is closed. */
  left(pool: GuestPool, exit: GuestExit): void;
  /** A pool that waited to start an instance again does not: this is how the last one ended. */
  over(pool: GuestPool, exit: GuestExit): void;
  incident(error: unknown): string;
}
