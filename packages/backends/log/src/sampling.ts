import { LEVELS, type LevelName } from "./level.ts";

/**
 * Which records of a chatty level are written: one of every so many, by level, the first one included.
 * `{ debug: 100 }` writes the 1st, the 101st, the 201st debug record of a guest.
 */
export type Sampling = Partial<Readonly<Record<LevelName, number>>>;

/**
 * Checks what an operator wrote.
 *
 * @throws TypeError if a key is no level, or a value is no whole number above 0
 */
export function checkSampling(sampling: Sampling, where: string): Sampling {
  for (const [level, every] of Object.entries(sampling)) {
    if (!LEVELS.some((name) => name === level))
      throw new TypeError(`${where} has "${level}": write ${LEVELS.join(", ")}`);
    if (!Number.isInteger(every) || every < 1)
      throw new TypeError(`${where}.${level} is ${every}: write a whole number above 0`);
  }
  return sampling;
}

/** Picks the records of one guest. */
export class Sampler {
  readonly #sampling: Sampling;
  readonly #skipped = new Map<LevelName, number>();

  constructor(sampling: Sampling) {
    this.#sampling = sampling;
  }

  /**
   * How many records were left out since the one of this level that was written last; undefined if this one is left
   * out as well.
   */
  pick(level: LevelName): number | undefined {
    const every = this.#sampling[level] ?? 1;
    const skipped = this.#skipped.get(level);
    if (skipped !== undefined && skipped + 1 < every) {
      this.#skipped.set(level, skipped + 1);
      return undefined;
    }
    if (every > 1) this.#skipped.set(level, 0);
    return skipped ?? 0;
  }

  /** Every record that was left out and that no line has told of. */
  get untold(): number {
    return [...this.#skipped.values()].reduce((sum, n) => sum + n, 0);
  }
}
