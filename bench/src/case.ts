/** Runs something so many times; answers how many nanoseconds that took. */
export type Sample = (times: number) => number | Promise<number>;

/** What is measured: a subject, and what it is compared with in the same run. */
export interface Case {
  /** Such as `call.echo64`. */
  readonly name: string;
  /** One sentence: what runs, and what the baseline is. */
  readonly what: string;
  readonly subject: Sample;
  /** Left out, the case is shown for scale. */
  readonly baseline?: Sample;
  /** The highest ratio of subject to baseline that is good enough. */
  readonly atMost?: number;
  close?(): Promise<void>;
}

/** A case that is made when it is to run. Files named `*.bench.ts` export these as their default, in a list. */
export interface CaseMaker {
  readonly name: string;
  make(): Promise<Omit<Case, "name">>;
}
