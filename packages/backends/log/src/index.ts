/**
 * The log backend: structured records of guests, into pino.
 *
 * @packageDocumentation
 */
import type { Writable } from "node:stream";
import { type Backend, type Clock, defineBackend, systemClock } from "@dropthrough/dispatch";
import { LogService } from "./gen/dropthrough/log/v1/log_pb.ts";
import { type LevelName, Log } from "./log.ts";
import { Sink } from "./sink.ts";

export * from "./gen/dropthrough/log/v1/log_pb.ts";
export type { LevelName } from "./log.ts";

/** Where records go, and which. */
export interface LogOptions {
  /** Records below this are not written. Default `info`. */
  readonly level?: LevelName;
  /** The same for single guests, by name. */
  readonly levels?: Readonly<Record<string, LevelName>>;
  /** Where lines go. Default standard error. */
  readonly stream?: Writable;
  /** Lines for people instead of JSON. Default: whether the stream is a terminal. */
  readonly pretty?: boolean;
  /** Records that one guest may write in a second, on average; ten seconds' worth may come at once. Default 1,000. */
  readonly recordsPerSecond?: number;
  /** Bytes of lines that may wait for a slow stream; what comes on top is dropped and counted. Default 4 MiB. */
  readonly bufferBytes?: number;
  /** The source of time for rates. Default the machine's. */
  readonly clock?: Clock;
}

/** A log backend, whose levels can be changed while it runs. */
export interface LogBackend extends Backend<typeof LogService> {
  /** Changes the level of one guest, or of all that have none of their own. */
  setLevel(level: LevelName, guest?: string): void;
}

/** Makes the log backend. */
export function log(options: LogOptions = {}): LogBackend {
  const sink = new Sink(options);
  const implementation = new Log(sink, options.level ?? "info", options.levels ?? {}, {
    recordsPerSecond: options.recordsPerSecond ?? 1_000,
    clock: options.clock ?? systemClock,
  });
  return {
    ...defineBackend({
      name: "log",
      service: LogService,
      impl: implementation,
      health: () => sink.health(),
      [Symbol.asyncDispose]: async () => sink.close(),
    }),
    setLevel: (level, guest) => implementation.setLevel(level, guest),
  };
}
