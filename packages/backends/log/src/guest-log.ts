import type { Clock } from "@dropthrough/dispatch";
import type { LevelName } from "./level.ts";
import type { LogLimits } from "./log-limits.ts";
import { Rate } from "./rate.ts";
import { Sampler, type Sampling } from "./sampling.ts";
import type { Sink } from "./sink.ts";

/** Milliseconds between two lines that say how many records of a guest were dropped. */
const REPORT_MS = 1_000;

/**
 * The log of one guest, all its instances together: what is left out, what is too much, and the line that says so.
 *
 * ```text
 *  a record ─▶ picked by the sampling? ── no ─▶ counted; the next line of its level tells
 *                 └── yes ─▶ within the rate? ── no ─▶ counted; a line tells within a second
 *                               └── yes ─▶ the sink
 * ```
 */
export class GuestLog {
  readonly name: string;
  readonly #sink: Sink;
  readonly #limits: LogLimits;
  readonly #clock: Clock;
  readonly #rate: Rate;
  readonly #sampler: Sampler;
  #dropped = 0;
  #stopReport: (() => void) | undefined;

  constructor(name: string, sink: Sink, limits: LogLimits, clock: Clock, sampling: Sampling) {
    this.name = name;
    this.#sink = sink;
    this.#limits = limits;
    this.#clock = clock;
    this.#rate = new Rate(limits, clock);
    this.#sampler = new Sampler(sampling);
  }

  /** Writes a record, or counts it. */
  write(level: LevelName, fields: object): void {
    const skipped = this.#sampler.pick(level);
    if (skipped === undefined) {
      this.#sink.counts.skipped++;
      return;
    }
    if (!this.#rate.take()) {
      this.#dropped++;
      this.#sink.counts.dropped++;
      this.#stopReport ??= this.#clock.after(REPORT_MS, () => this.#report());
      return;
    }
    this.#rate.spend(this.#sink.write(level, skipped > 0 ? { ...fields, skipped } : fields));
  }

  /** Tells what was not told yet. */
  close(): void {
    this.#report();
    const { untold } = this.#sampler;
    if (untold === 0) return;
    this.#sink.write("info", {
      guest: this.name,
      skipped: untold,
      msg: `${untold} more records of ${this.name} were left out by its sampling`,
    });
  }

  #report(): void {
    this.#stopReport?.();
    this.#stopReport = undefined;
    const dropped = this.#dropped;
    if (dropped === 0) return;
    this.#dropped = 0;
    const { recordsPerSecond, bytesPerSecond } = this.#limits;
    this.#sink.write("warn", {
      guest: this.name,
      dropped,
      msg: `${dropped} records of ${this.name} were dropped: it writes more than ${recordsPerSecond} records or ${bytesPerSecond} bytes a second`,
    });
  }
}
