import type { DescService } from "@bufbuild/protobuf";
import { GuestError } from "./guest-exit.ts";
import type { GuestLimits } from "./limits.ts";

/** One guest of a deployment. */
export interface GuestConfig {
  /** Its name, unique in the host, such as `words.facade`. */
  readonly name: string;
  /** Its module: a path, a file URL, or the bytes, which are not to be changed afterwards. */
  readonly module: string | URL | Uint8Array<ArrayBuffer>;
  /** Its command line arguments. Default none. */
  readonly arguments?: readonly string[];
  /** Its environment variables, by name. Default none: nothing of the host's own environment gets in. */
  readonly environment?: Readonly<Record<string, string>>;
  /**
   * What it may call: `package.Service/Method`, or `package.Service/*`. Default nothing but
   * the kernel, which every guest may call.
   */
  readonly grants?: readonly string[];
  /** Full names of the services that it may export. Default none. */
  readonly exports?: readonly string[];
  /** Descriptors of what it exports, where its manifest does not hold them. */
  readonly services?: readonly DescService[];
  /** How many instances run; those of all guests together 16,000 at most. Default 1. */
  readonly instances?: number;
  /** Its exit code is the host's. Default: the only guest with a `_start`, if there is one. */
  readonly main?: boolean;
  /** Limits of this guest alone; those of the registry, such as `depth`, are one for all. */
  readonly limits?: Partial<GuestLimits>;
}

/** The engine reserves 8 GiB of addresses for each memory, and a process has 128 TiB: it holds some 16,300. */
const MOST_INSTANCES = 16_000;

/**
 * Checks how many instances are to run.
 *
 * @throws GuestError if that is no number, or the process cannot hold them together
 */
export function checkInstances(guests: readonly GuestConfig[]): void {
  let all = 0;
  for (const { name, instances = 1 } of guests) {
    if (!Number.isSafeInteger(instances) || instances < 1)
      throw new GuestError(`guest "${name}": "instances" must be a whole number, 1 or more`);
    all += instances;
  }
  if (all > MOST_INSTANCES) {
    throw new GuestError(
      `the guests have ${all} instances together, and a process holds ${MOST_INSTANCES}: run fewer, or several hosts`,
    );
  }
}
