/** Does something so many times; answers what that took: nanoseconds in all, or bytes, as its case says. */
export type Sample = (times: number) => number | Promise<number>;

/** What is measured: a subject, and what it is compared with in the same run. */
export interface Case {
  /** Such as `call.echo64`. */
  readonly name: string;
  /** What the baseline is; where there is none, what runs. */
  readonly what: string;
  /** What the samples count. Default: nanoseconds. */
  readonly unit?: "ns" | "B";
  readonly subject: Sample;
  /** Left out, the case is shown for scale. */
  readonly baseline?: Sample;
  /** The highest ratio of subject to baseline that is good enough. */
  readonly atMost?: number;
  /** What one time of the subject may take more than one of the baseline, in the unit of the case. */
  readonly atMostMore?: number;
  /** How many times a sample does it. Left out, as often as fills a slice of time; then the code is warmed up first. */
  readonly times?: number;
  close?(): Promise<void>;
}

/** A case that chance in the layout of a process makes up to twice as fast or slow: five of them are measured. */
export function byChance(maker: CaseMaker): CaseMaker {
  return { ...maker, processes: 5 };
}

/** A case that is made when it is to run. Files named `*.bench.ts` export these as their default, in a list. */
export interface CaseMaker {
  readonly name: string;
  /**
   * In how many processes it is measured; the one with the median ratio counts. Default 1: more where chance in the
   * layout of code or memory, which is the same for the life of a process, moves the ratio by more than what is measured.
   */
  readonly processes?: number;
  make(): Promise<Omit<Case, "name">>;
}
