import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");

/** Collects the garbage of this process: all of it, or only what is young. */
export const collect = runInNewContext("gc") as (options?: { readonly type: "minor" }) => void;

/** Collects the young garbage; answers what that took, in nanoseconds. */
export function collectYoung(): number {
  const start = process.hrtime.bigint();
  collect({ type: "minor" });
  return Number(process.hrtime.bigint() - start);
}
