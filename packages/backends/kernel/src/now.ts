import type { Clock } from "@dropthrough/dispatch";

/** What Now answers. */
export interface Now {
  readonly time: { readonly seconds: bigint; readonly nanos: number };
  readonly monotonicNs: bigint;
}

/** One look at the clock; `wallMs` are milliseconds since 1970, by whoever replaced that of the clock. */
export function nowOf(clock: Clock, wallMs: number | undefined): Now {
  const monotonic = clock.now();
  const wall = wallMs ?? clock.wall?.() ?? monotonic;
  const seconds = Math.floor(wall / 1000);
  // Between 1970 and 2106 a double holds milliseconds to a quarter of a microsecond.
  const nanos = Math.round((wall - seconds * 1000) * 1e6);
  const full = nanos >= 1e9;
  return {
    time: { seconds: BigInt(full ? seconds + 1 : seconds), nanos: full ? 0 : nanos },
    monotonicNs: BigInt(Math.round(monotonic * 1e6)),
  };
}
