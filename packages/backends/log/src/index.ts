/**
 * The log backend: structured records of guests, into pino.
 *
 * @packageDocumentation
 */
import type { Writable } from "node:stream";
import {
  type Backend,
  checkKeys,
  checkBounds,
  type Clock,
  defineBackend,
  printable,
  systemClock,
} from "@dropthrough/dispatch";
import { LogService } from "./gen/dropthrough/log/v1/log_pb.ts";
import { checkLevel, checkThreshold, type LevelName, type Threshold } from "./level.ts";
import { checkLevels, type Levels, LevelsFile } from "./levels-file.ts";
import { type LineWriter, Log, type Settings } from "./log.ts";
import { DEFAULT_LOG_LIMITS, type LogLimits } from "./log-limits.ts";
import { checkSampling, type Sampling } from "./sampling.ts";
import { type LogCounts, Sink } from "./sink.ts";

export * from "./gen/dropthrough/log/v1/log_pb.ts";
export type { LevelName, Threshold } from "./level.ts";
export type { Levels } from "./levels-file.ts";
export type { LineWriter } from "./log.ts";
export { DEFAULT_LOG_LIMITS, type LogLimits } from "./log-limits.ts";
export type { Sampling } from "./sampling.ts";
export type { LogCounts } from "./sink.ts";

/** Where records go, and which. */
export interface LogOptions extends Levels {
  /**
   * The path of a JSON file with a `level` and `levels` of its own, which go before those given here. It is looked at every second, so that
   * levels can be changed while the host runs; it need not be there.
   */
  readonly levelsFile?: string;
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
   * Changes the least level of one guest, or of all that have none of their own, until the file of levels changes.
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

const OPTIONS = Object.keys({
  level: true,
  levels: true,
  levelsFile: true,
  sampling: true,
  samplings: true,
  stream: true,
  file: true,
  pretty: true,
  limits: true,
  clock: true,
} satisfies Record<keyof LogOptions, true>);

/**
 * Makes the log backend.
 *
 * @throws TypeError if an option does not exist, is no level, no sampling or no bound, if there are a stream and a file, or if the file of levels holds none;
 *   Error of node:fs if a file cannot be opened
 */
export function log(options: LogOptions = {}): LogBackend {
  checkKeys(options, OPTIONS, "log: ");
  const { sampling = {}, samplings = {} } = options;
  checkLevels(options);
  for (const [guest, own] of Object.entries(samplings)) checkSampling(own, `samplings["${guest}"]`);
  if (options.stream !== undefined && options.file !== undefined)
    throw new TypeError("the log has a stream and a file: give it one of them");
  const { levelsFile: path } = options;
  const levelsFile = path === undefined ? undefined : new LevelsFile(path);
  const settings = {
    ...merge(options, levelsFile?.read()),
    sampling: checkSampling(sampling, "sampling"),
    samplings: new Map(Object.entries(samplings)),
  };
  const limits = checkBounds(DEFAULT_LOG_LIMITS, options.limits ?? {}, "log: limits: ");
  const sink = new Sink(options, limits.bufferBytes);
  const implementation = new Log(sink, settings, limits, options.clock ?? systemClock);
  levelsFile?.watch(
    (levels) => void Object.assign(settings, merge(options, levels)),
    (message) => void sink.tell("warn", { msg: printable(`levels stay as they are: ${message}`) }),
  );
  return {
    ...defineBackend({
      name: "log",
      service: LogService,
      borrows: true,
      maxFields: limits.fields,
      refused: (error, context) => implementation.refused(error, context),
      impl: implementation,
      health: () => sink.health(),
      attach: ({ clock }) => void (implementation.clock = options.clock ?? clock),
      [Symbol.asyncDispose]: async () => {
        levelsFile?.close();
        await implementation.close();
      },
    }),
    setLevel: (threshold, guest) =>
      implementation.setLevel(checkThreshold(threshold, "the level"), guest),
    lines: (guest, own = "info") => implementation.lines(guest, checkLevel(own)),
    counts: () => ({ ...sink.counts }),
  };
}

/** The levels that hold: those of a file before those that were given. */
function merge(options: LogOptions, found: Levels = {}): Pick<Settings, "level" | "levels"> {
  return {
    level: found.level ?? options.level ?? "info",
    levels: new Map(Object.entries({ ...options.levels, ...found.levels })),
  };
}
