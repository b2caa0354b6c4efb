import {
  type Backend,
  type CallObserver,
  checkOptions,
  type Clock,
  type Incident,
  type Interceptor,
  type RegistryOptions,
  type Scheduler,
} from "@dropthrough/dispatch";
import { checkInstances, type GuestConfig } from "./guest-config.ts";
import { GuestError, type GuestExit } from "./guest-exit.ts";
import { checkLimits, type Limits } from "./limits.ts";

/** A deployment: which backends, which guests, within which bounds. */
export interface HostOptions {
  /** What answers in the host. Every one owns the service that its contract names. */
  readonly backends?: readonly Backend[];
  readonly guests?: readonly GuestConfig[];
  /** Bounds for all guests; a guest's own `limits` come first. */
  readonly limits?: Partial<Limits>;
  /** Wrapped around every call, the first of them outermost. */
  readonly interceptors?: readonly Interceptor[];
  /** See every call, such as a trace. */
  readonly observers?: readonly CallObserver[];
  /** How messages are decoded and encoded. Default: compiled where that is allowed. */
  readonly codec?: RegistryOptions["codec"];
  /** The source of time; a scheduler is one of order too. Default the machine's. */
  readonly clock?: Clock | Scheduler;
  /** Hears of every guest instance that ends; what it throws is an incident. Default: crashes go to `console.error`. */
  readonly onExit?: (exit: GuestExit) => void;
  /** Hears of every bug of the host. Default: `console.error`. */
  readonly onIncident?: (incident: Incident) => void;
}

/**
 * Checks what can be known of a deployment before anything of it is made.
 *
 * @throws GuestError if two guests have one name, `instances` are no whole number above 0, or more than a process
 *   holds; TypeError if an option has not the shape of one
 */
export function checkHostOptions(options: HostOptions): void {
  checkOptions(options);
  const { guests = [] } = options;
  checkInstances(guests);
  checkLimits(options.limits);
  const names = new Set<string>();
  for (const { name, limits } of guests) {
    checkLimits(limits, `guest "${name}": `);
    if (names.has(name)) throw new GuestError(`two guests are named "${name}": rename one`);
    names.add(name);
  }
}
