import { type AbiLimits, DEFAULT_ABI_LIMITS } from "@dropthrough/abi";
import { DEFAULT_DISPATCH_LIMITS, type DispatchLimits } from "@dropthrough/dispatch";

/** The bounds that the host itself keeps. */
export interface HostLimits {
  /** Bytes that a guest's module may have. Default 134,217,728 (128 MiB). */
  readonly moduleBytes: number;
  /** Pages of 64 KiB that one instance's memory may grow to; the engine enforces it. Default 4,096 (256 MiB). */
  readonly memoryPages: number;
  /** Entries that one instance's tables may grow to, together; the engine enforces it. Default 262,144. */
  readonly tableEntries: number;
  /** Calls that may wait for a free instance, for each service of each guest that exports it. Default 1,024. */
  readonly queue: number;
  /** How often a reactor that crashed, and exports something, is started again within `restartWindowMs`. Default 5. */
  readonly restarts: number;
  /** In milliseconds. Default 60,000. */
  readonly restartWindowMs: number;
  /** Milliseconds that calls in flight have when a guest is asked to exit. Default 5,000. */
  readonly exitGraceMs: number;
  /** Milliseconds that a guest's own clean-up before its end may take. Default 1,000. */
  readonly exitHooksMs: number;
  /** Milliseconds that may pass until what an instance had opened is closed; it has ended then, closed or not. Default 5,000. */
  readonly closeMs: number;
  /** Milliseconds that a new version of a guest may take to launch. Default 10,000. */
  readonly launchMs: number;
  /** Milliseconds that the old version has for its calls in flight. Default 30,000. */
  readonly drainMs: number;
}

/** Every bound of a host, all on by default. docs/LIMITS.md lists them with what they stop. */
export interface Limits extends AbiLimits, DispatchLimits, HostLimits {}

/** What a guest may have limits of its own for. Those of the registry are one for all guests. */
export type GuestLimits = Omit<Limits, keyof DispatchLimits>;

/** The limits that hold where nothing else is said. */
export const DEFAULT_LIMITS: Limits = {
  ...DEFAULT_ABI_LIMITS,
  ...DEFAULT_DISPATCH_LIMITS,
  moduleBytes: 128 * 2 ** 20,
  memoryPages: 4096,
  tableEntries: 262_144,
  queue: 1024,
  restarts: 5,
  restartWindowMs: 60_000,
  exitGraceMs: 5_000,
  exitHooksMs: 1_000,
  closeMs: 5_000,
  launchMs: 10_000,
  drainMs: 30_000,
};

/** Limits, with some set otherwise. One that is undefined is not set: it would be no bound at all. */
export function limitsOf(limits: Limits, others: Partial<Limits> = {}): Limits {
  const set = Object.entries(others).filter(([, value]) => (value as unknown) !== undefined);
  return { ...limits, ...(Object.fromEntries(set) as Partial<Limits>) };
}

/**
 * Checks what a program sets otherwise: what is no number would be no bound at all, and a name that is none bounds nothing.
 *
 * @param owner whose they are, for the message: empty for those of the host
 * @throws TypeError with one sentence that names what is wrong
 */
export function checkLimits(others: Partial<Limits> = {}, owner = ""): void {
  for (const [name, value] of Object.entries(others)) {
    if (owner !== "" && Object.hasOwn(DEFAULT_DISPATCH_LIMITS, name))
      throw new TypeError(
        `${owner}"limits.${name}" holds for all guests: set it in the host's limits`,
      );
    if (!Object.hasOwn(DEFAULT_LIMITS, name)) {
      const known = Object.keys(DEFAULT_LIMITS).join(", ");
      throw new TypeError(`${owner}"limits.${name}" is unknown; there is ${known}`);
    }
    if ((value as unknown) !== undefined && !(Number.isSafeInteger(value) && value >= 0))
      throw new TypeError(`${owner}"limits.${name}" must be a whole number, 0 or more`);
  }
}
