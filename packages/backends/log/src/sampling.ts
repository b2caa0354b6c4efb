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

/** What became of the records of one level. */
interface Skips {
  /** Since the one that was picked last. */
  run: number;
  /** Those that no line has told of. */
  untold: number;
}

/** Picks the records of one guest. */
export class Sampler {
  readonly #sampling: Sampling;
  readonly #skips = new Map<LevelName, Skips>();

  constructor(sampling: Sampling) {
    this.#sampling = sampling;
  }

  /** How many records of this level were left out that no line has told of; undefined if this one is left out as well. */
  pick(level: LevelName): number | undefined {
    const every = this.#sampling[level] ?? 1;
    if (every === 1) return 0;
    const skips = this.#skips.get(level);
    if (skips === undefined) {
      this.#skips.set(level, { run: 0, untold: 0 });
      return 0;
    }
    if (skips.run + 1 < every) {
      skips.run++;
      skips.untold++;
      return undefined;
    }
    skips.run = 0;
    return skips.untold;
  }

  /** A line has told how many were left out. */
  told(level: LevelName): void {
    const skips = this.#skips.get(level);
    if (skips !== undefined) skips.untold = 0;
  }

  /** Every record that was left out and that no line has told of. */
  get untold(): number {
    return [...this.#skips.values()].reduce((sum, { untold }) => sum + untold, 0);
  }
}
