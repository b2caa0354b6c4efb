import type { GuestConfig } from "./guest-config.ts";
import { GuestError } from "./guest-exit.ts";
import type { GuestPool } from "./guest-pool.ts";

/** What a new version of a guest changes: its module alone, or anything of its configuration but the name. */
export type GuestChange = GuestConfig["module"] | Partial<Omit<GuestConfig, "name">>;

/** The configuration of the new version. */
export function configOf(config: GuestConfig, change: GuestChange): GuestConfig {
  const module = typeof change === "string" || change instanceof URL || isBytes(change);
  return module ? { ...config, module: change } : { ...config, ...change };
}

function isBytes(change: GuestChange): change is Uint8Array<ArrayBuffer> {
  return change instanceof Uint8Array;
}

/**
 * Settles when every instance of a new version runs.
 *
 * @param watch calls back after every change of a guest
 * @throws GuestError if one ends before, or `limits.launchMs` have passed
 */
export async function launched(
  pool: GuestPool,
  watch: (changed: () => void) => Disposable,
): Promise<void> {
  const { limits, clock } = pool;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const fail = (why: string): void => reject(refusal(pool, why));
  const look = (): void => {
    if (isShort(pool)) fail(pool.lastWords);
    else if (pool.instances.every(({ state }) => state === "running")) resolve();
  };
  const stop = clock.after(limits.launchMs, () =>
    fail(`was not launched within ${limits.launchMs} ms`),
  );
  using _ = watch(look);
  try {
    look();
    await promise;
  } finally {
    stop();
  }
}

/** Whether one of its instances has ended. */
function isShort({ config, instances }: GuestPool): boolean {
  return instances.length < (config.instances ?? 1);
}

function refusal(pool: GuestPool, why: string): GuestError {
  return new GuestError(`"${pool.name}" was not replaced: the new version ${why}`);
}

/**
 * Checks that a new version can stand in for the old one.
 *
 * @param others the pools of all other guests
 * @throws GuestError if one of its instances has ended since it was launched, or it no longer exports what others
 *   require, and nobody else does
 */
export function checkStandIn(old: GuestPool, next: GuestPool, others: readonly GuestPool[]): void {
  if (isShort(next)) throw refusal(next, next.lastWords);
  const exports = (pool: GuestPool): Set<string> =>
    new Set(pool.instances.flatMap((instance) => [...instance.exported]));
  const still = new Set([next, ...others].flatMap((pool) => [...exports(pool)]));
  for (const service of exports(old)) {
    if (still.has(service)) continue;
    const user = others.find((pool) => pool.instances.some((one) => one.required.has(service)));
    if (user !== undefined) {
      throw new GuestError(
        `"${old.name}" was not replaced: the new version does not export ${service}, which ${user.name} requires`,
      );
    }
  }
}
