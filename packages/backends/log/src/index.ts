/**
 * The log backend: structured records of guests, into pino.
 *
 * @packageDocumentation
 */
import type { Writable } from "node:stream";
import { type Backend, type Clock, defineBackend, systemClock } from "@dropthrough/dispatch";
import { LogService } from "./gen/dropthrough/log/v1/log_pb.ts";
import { checkLevel, checkThreshold, type LevelName, type Threshold } from "./level.ts";
import { type LineWriter, Log } from "./log.ts";
import { DEFAULT_LOG_LIMITS, type LogLimits } from "./log-limits.ts";
import { checkSampling, type Sampling } from "./sampling.ts";
import { type LogCounts, Sink } from "./sink.ts";

export * from "./gen/dropthrough/log/v1/log_pb.ts";
export type { LevelName, Threshold } from "./level.ts";
export type { LineWriter } from "./log.ts";
export { DEFAULT_LOG_LIMITS, type LogLimits } from "./log-limits.ts";
export type { Sampling } from "./sampling.ts";
export type { LogCounts } from "./sink.ts";

/** Where records go, and which. */
export interface LogOptions {
  /** The least level that is written. Default `info`. */
  readonly level?: Threshold;
  /** The same for single guests, by name. */
  readonly levels?: Readonly<Record<string, Threshold>>;
  /** Which records of a chatty level are written: `{ debug: 100 }` for one of every hundred. Default all. */
  readonly sampling?: Sampling;
  /** The same for single guests, by name. */
  readonly samplings?: Readonly<Record<string, Sampling>>;
  /** The stream that lines go to. Default standard error. */
  readonly stream?: Writable;
  /** The path of a file, or of a named pipe, that lines are appended to, instead of a stream. */
  readonly file?: string;
  /** Lines for people instead of JSON. Default: whether they go to a terminal. */
  readonly pretty?: boolean;
  readonly limits?: Partial<LogLimits>;
  /** The source of time for rates. Default the host's. */
  readonly clock?: Clock;
}

/** A log backend. What it writes can be changed, and counted, while it runs. */
export interface LogBackend extends Backend<typeof LogService> {
  /**
   * Changes the least level of one guest, or of all that have none of their own.
   *
   * @throws TypeError if it is no level
   */
  setLevel(level: Threshold, guest?: string): void;
  /**
   * A stream for what a guest prints: each line is a record of that guest, under its level, its sampling and its rate. For whoever knows the guest,
   * such as a stream mount of the file backend: `stream: (guest) => logs.lines(guest)`.
   *
   * @param level of the records; default `info`
   * @throws TypeError if it is no level
   */
  lines(guest: LineWriter, level?: LevelName): Writable;
  /** What became of the records so far. */
  counts(): LogCounts;
}

/**
 * Makes the log backend.
 *
 * @throws TypeError if an option is no level or no sampling, or if there are a stream and a file; Error of node:fs if the
 *   file cannot be opened
 */
export function log(options: LogOptions = {}): LogBackend {
  const { level = "info", levels = {}, sampling = {}, samplings = {} } = options;
  for (const [guest, own] of Object.entries(levels)) checkThreshold(own, `levels["${guest}"]`);
  for (const [guest, own] of Object.entries(samplings)) checkSampling(own, `samplings["${guest}"]`);
  if (options.stream !== undefined && options.file !== undefined)
    throw new TypeError("the log has a stream and a file: give it one of them");
  const settings = {
    level: checkThreshold(level, "level"),
    levels: new Map(Object.entries(levels)),
    sampling: checkSampling(sampling, "sampling"),
    samplings: new Map(Object.entries(samplings)),
  };
  const limits = { ...DEFAULT_LOG_LIMITS, ...options.limits };
  const sink = new Sink(options, limits.bufferBytes);
  const implementation = new Log(sink, settings, limits, options.clock ?? systemClock);
  return {
    ...defineBackend({
      name: "log",
      service: LogService,
      borrows: true,
      impl: implementation,
      health: () => sink.health(),
      attach: ({ clock }) => void (implementation.clock = options.clock ?? clock),
      [Symbol.asyncDispose]: async () => implementation.close(),
    }),
    setLevel: (threshold, guest) =>
      implementation.setLevel(checkThreshold(threshold, "the level"), guest),
    lines: (guest, own = "info") => implementation.lines(guest, checkLevel(own)),
    counts: () => ({ ...sink.counts }),
  };
}
