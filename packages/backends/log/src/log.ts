import type { Writable } from "node:stream";
import { Code, ConnectError, type HandlerContext, type ServiceImpl } from "@connectrpc/connect";
import { callerOf, callOf, type Clock, printable } from "@dropthrough/dispatch";
import {
  type EnabledRequest,
  LogService,
  type Record as LogRecord,
  type WriteBatchRequest,
  type WriteRequest,
} from "./gen/dropthrough/log/v1/log_pb.ts";
import { GuestLog } from "./guest-log.ts";
import { LEVELS, type LevelName, reaches, type Threshold } from "./level.ts";
import { lineStream } from "./line-stream.ts";
import type { LogLimits } from "./log-limits.ts";
import { encodeRecord, type RecordFields } from "./record.ts";
import type { Sampling } from "./sampling.ts";
import type { Sink } from "./sink.ts";

/** Something of everybody's, and of single guests by name. */
export interface Settings {
  level: Threshold;
  levels: Map<string, Threshold>;
  readonly sampling: Sampling;
  readonly samplings: ReadonlyMap<string, Sampling>;
}

/** Who writes lines, as the host knows it. */
export interface LineWriter {
  readonly name: string;
  readonly instance: number;
  /** The call by which it writes now, if it does so by one: what is asked for with every line. */
  readonly call?: HandlerContext | undefined;
}

/** What LogService answers. Each docstring of log.proto lists the codes. */
export class Log implements ServiceImpl<typeof LogService> {
  /** The source of time for rates. */
  clock: Clock;
  readonly #sink: Sink;
  readonly #settings: Settings;
  readonly #limits: LogLimits;
  /** One for each name that the operator gave, so it is bounded. */
  readonly #guests = new Map<string, GuestLog>();

  constructor(sink: Sink, settings: Settings, limits: LogLimits, clock: Clock) {
    this.#sink = sink;
    this.#settings = settings;
    this.#limits = limits;
    this.clock = clock;
  }

  setLevel(level: Threshold, guest?: string): void {
    if (guest === undefined) this.#settings.level = level;
    else this.#settings.levels.set(guest, level);
  }

  /** A stream whose lines are records of a guest, of the call by which it writes them. */
  lines(writer: LineWriter, level: LevelName): Writable {
    const { name, instance } = writer;
    const { textLength, recordBytes } = this.#limits;
    // Escaped, a character takes seven bytes.
    const most = Math.max(2, Math.min(textLength, Math.floor(recordBytes / 7)));
    return lineStream(most, (text) => {
      if (!this.#enabled(name, level)) return;
      this.#guest(name).write(level, () => ({
        instance,
        ...(writer.call !== undefined && placeOf(writer.call)),
        msg: printable(text),
      }));
    });
  }

  write({ record }: WriteRequest, context: HandlerContext): object {
    if (record === undefined)
      throw new ConnectError("Write needs a record: set one", Code.InvalidArgument);
    this.#write([record], context);
    return {};
  }

  writeBatch({ records }: WriteBatchRequest, context: HandlerContext): object {
    this.#write(records, context);
    return {};
  }

  enabled({ level }: EnabledRequest, context: HandlerContext): { enabled: boolean } {
    return { enabled: this.#enabled(callerOf(context).name, levelName(level)) };
  }

  /** Counts a request of too many fields as one record: nobody has looked how many are in it. */
  refused({ rawMessage }: ConnectError, context: HandlerContext): void {
    if (context.method.name !== LogService.method.enabled.name)
      this.#guest(callerOf(context).name).refuse(1, rawMessage);
  }

  /** Tells what was not told yet, and lets go of the sink. */
  async close(): Promise<void> {
    for (const guest of this.#guests.values()) guest.close();
    await this.#sink.close();
  }

  #enabled(guest: string, level: LevelName): boolean {
    return reaches(level, this.#settings.levels.get(guest) ?? this.#settings.level);
  }

  #write(records: readonly LogRecord[], context: HandlerContext): void {
    const { name, instance } = callerOf(context);
    const guest = this.#guest(name);
    let lines;
    try {
      // All are encoded before the first is written: a batch is written whole, or not at all.
      lines = this.#encode(records, name);
    } catch (error) {
      if (error instanceof ConnectError) guest.refuse(records.length, error.rawMessage);
      throw error;
    }
    const who = { instance, ...placeOf(context) };
    for (const { level, fields } of lines) guest.write(level, () => ({ ...who, ...fields }));
  }

  #encode(
    records: readonly LogRecord[],
    guest: string,
  ): { level: LevelName; fields: RecordFields }[] {
    const { batch } = this.#limits;
    if (records.length > batch) {
      throw new ConnectError(
        `${records.length} records are above the limit of ${batch}: write fewer at a time`,
        Code.ResourceExhausted,
      );
    }
    return records
      .map((record) => ({ record, level: levelName(record.level) }))
      .filter(({ level }) => this.#enabled(guest, level))
      .map(({ record, level }) => ({ level, fields: encodeRecord(record, this.#limits) }));
  }

  #guest(name: string): GuestLog {
    let guest = this.#guests.get(name);
    if (guest === undefined) {
      const sampling = this.#settings.samplings.get(name) ?? this.#settings.sampling;
      guest = new GuestLog(name, this.#sink, this.#limits, this.clock, sampling);
      this.#guests.set(name, guest);
    }
    return guest;
  }
}

/**
 * Where a record stands among the calls: its own call, the one that its guest was answering, and those above. Ids ascend in
 * the order of the starts, so these three are enough to read a tree of calls in causal order. In a distributed trace,
 * the span is that of the call that the guest was answering.
 */
function placeOf(context: HandlerContext): object {
  const call = callOf(context);
  if (call === undefined) return {};
  const { id, parent } = call;
  const ancestors: number[] = [];
  for (let up = parent?.parent; up !== undefined; up = up.parent) ancestors.unshift(up.id);
  return {
    call: id,
    ...(parent !== undefined && { parent: parent.id }),
    ...(ancestors.length > 0 && { ancestors }),
    ...(call.isTraced && { traceId: call.trace.traceId, spanId: call.trace.parentSpanId }),
  };
}

function levelName(level: number): LevelName {
  const name = LEVELS[level - 1];
  if (name === undefined)
    throw new ConnectError("a record needs a level, 1 (trace) to 6 (fatal)", Code.InvalidArgument);
  return name;
}
