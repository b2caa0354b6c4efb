/** What the profiler of V8 writes, as far as it is read here. */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: {
      readonly functionName: string;
      readonly url: string;
      readonly lineNumber: number;
    };
  }[];
  readonly samples: readonly number[];
  /** Microseconds before each sample. */
  readonly timeDeltas: readonly number[];
}

/** A function, and the share of all time that was spent in itself. */
export interface SelfTime {
  /** Such as `run dispatch/src/dispatch.ts:29`. */
  readonly where: string;
  /** From 0 to 1. */
  readonly share: number;
}

/** Adds up a profile by function, the dearest first. */
export function selfTimes({ nodes, samples, timeDeltas }: CpuProfile): SelfTime[] {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const times = new Map<string, number>();
  let all = 0;
  for (const [i, id] of samples.entries()) {
    const { functionName = "", url = "", lineNumber = 0 } = frames.get(id) ?? {};
    const place = url === "" ? "" : ` ${url.split("/").slice(-3).join("/")}:${lineNumber + 1}`;
    const where = `${functionName || "(anonymous)"}${place}`;
    const took = timeDeltas[i] ?? 0;
    times.set(where, (times.get(where) ?? 0) + took);
    all += took;
  }
  return [...times]
    .map(([where, took]) => ({ where, share: took / all }))
    .toSorted((a, b) => b.share - a.share);
}
