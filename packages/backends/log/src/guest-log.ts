import { type Clock, printable } from "@dropthrough/dispatch";
import type { LevelName } from "./level.ts";
import type { LogLimits } from "./log-limits.ts";
import { Rate } from "./rate.ts";
import { Sampler, type Sampling } from "./sampling.ts";
import type { Sink } from "./sink.ts";

/** Milliseconds between two lines that say how many records of a guest were dropped or refused. */
const REPORT_MS = 1_000;

/**
 * The log of one guest, all its instances together: what is left out, what is too much, and the line that says so.
 *
 * ```text
 *  a record ─▶ picked by the sampling? ── no ─▶ counted; the next line of its level tells
 *                 └── yes ─▶ within the rate? ── no ─▶ counted; a line tells within a second
 *                               └── yes ─▶ the sink
 * ```
 *
 * A line that the sink did not take has told nothing: what it should have told is told by the next one.
 */
export class GuestLog {
  /** As it stands on a line. */
  readonly name: string;
  readonly #sink: Sink;
  readonly #limits: LogLimits;
  readonly #clock: Clock;
  readonly #rate: Rate;
  readonly #sampler: Sampler;
  #dropped = 0;
  #refused = 0;
  /** Why the last one was refused. */
  #reason = "";
  #stopReport: (() => void) | undefined;

  constructor(name: string, sink: Sink, limits: LogLimits, clock: Clock, sampling: Sampling) {
    this.name = printable(name);
    this.#sink = sink;
    this.#limits = limits;
    this.#clock = clock;
    this.#rate = new Rate(limits, clock);
    this.#sampler = new Sampler(sampling);
  }

  /**
   * Writes a record, or counts it.
   *
   * @param fields makes what stands on its line beside the guest, if there is a line
   */
  write(level: LevelName, fields: () => object): void {
    const skipped = this.#sampler.pick(level);
    if (skipped === undefined) {
      this.#sink.counts.skipped++;
      return;
    }
    if (!this.#rate.take()) {
      this.#dropped++;
      this.#sink.counts.dropped++;
      this.#reportSoon();
      return;
    }
    const line = { guest: this.name, ...fields(), ...(skipped > 0 && { skipped }) };
    const size = this.#sink.write(level, line);
    if (size === undefined) return;
    this.#rate.spend(size);
    if (skipped > 0) this.#sampler.told(level);
    if (this.#dropped + this.#refused > 0) this.#reportSoon();
  }

  /** Counts records that the guest was told are none, in case that it does not care. */
  refuse(records: number, reason: string): void {
    this.#refused += records;
    this.#sink.counts.refused += records;
    this.#reason = reason;
    this.#reportSoon();
  }

  /** Tells what was not told yet. */
  close(): void {
    this.#report();
    const { untold } = this.#sampler;
    if (untold === 0) return;
    this.#tell("info", "skipped", untold, "left out by its sampling", "more ");
  }

  #reportSoon(): void {
    if (this.#sink.closing) return;
    this.#stopReport ??= this.#clock.after(REPORT_MS, () => this.#report());
  }

  #report(): void {
    this.#stopReport?.();
    this.#stopReport = undefined;
    const { recordsPerSecond, bytesPerSecond } = this.#limits;
    const rate = `dropped: it writes more than ${recordsPerSecond} records or ${bytesPerSecond} bytes a second`;
    if (this.#dropped > 0 && this.#tell("warn", "dropped", this.#dropped, rate)) this.#dropped = 0;
    const reason = `refused: ${this.#reason}`;
    if (this.#refused > 0 && this.#tell("warn", "refused", this.#refused, reason))
      this.#refused = 0;
  }

  /** False if the sink did not take the line. */
  #tell(level: LevelName, field: string, count: number, what: string, more = ""): boolean {
    const msg = `${count} ${more}records of ${this.name} were ${what}`;
    return this.#sink.tell(level, { guest: this.name, [field]: count, msg }) !== undefined;
  }
}
