import { Code, ConnectError, type HandlerContext, type ServiceImpl } from "@connectrpc/connect";
import { callerOf, type CallRecord, type Clock } from "@dropthrough/dispatch";
import type {
  EnabledRequest,
  LogService,
  Record as LogRecord,
  WriteBatchRequest,
  WriteRequest,
} from "./gen/dropthrough/log/v1/log_pb.ts";
import { Rate } from "./rate.ts";
import { encodeRecord } from "./record.ts";
import type { Sink } from "./sink.ts";

/** The levels, the least important first. */
export const LEVELS = ["trace", "debug", "info", "warn", "error", "fatal"] as const;
/** One of them. */
export type LevelName = (typeof LEVELS)[number];

const MOST_RECORDS = 1024;

/** What LogService answers. Each docstring of log.proto lists the codes. */
export class Log implements ServiceImpl<typeof LogService> {
  readonly #sink: Sink;
  readonly #levels: Map<string, LevelName>;
  #level: LevelName;
  readonly #rates = new Map<string, Rate>();
  readonly #limits: { readonly recordsPerSecond: number; readonly clock: Clock };

  constructor(
    sink: Sink,
    level: LevelName,
    levels: Readonly<Record<string, LevelName>>,
    limits: { readonly recordsPerSecond: number; readonly clock: Clock },
  ) {
    this.#sink = sink;
    this.#level = level;
    this.#levels = new Map(Object.entries(levels));
    this.#limits = limits;
  }

  setLevel(level: LevelName, guest?: string): void {
    if (guest === undefined) this.#level = level;
    else this.#levels.set(guest, level);
  }

  write({ record }: WriteRequest, context: HandlerContext): object {
    this.#write(record === undefined ? [] : [record], context);
    return {};
  }

  writeBatch({ records }: WriteBatchRequest, context: HandlerContext): object {
    if (records.length > MOST_RECORDS) {
      throw new ConnectError(
        `${records.length} records are above the limit of ${MOST_RECORDS}: write less at a time`,
        Code.ResourceExhausted,
      );
    }
    this.#write(records, context);
    return {};
  }

  enabled({ level }: EnabledRequest, context: HandlerContext): { enabled: boolean } {
    return { enabled: this.#enabled(callerOf(context).name, levelName(level)) };
  }

  #enabled(guest: string, level: LevelName): boolean {
    return LEVELS.indexOf(level) >= LEVELS.indexOf(this.#levels.get(guest) ?? this.#level);
  }

  #write(records: readonly LogRecord[], context: HandlerContext): void {
    const caller = callerOf(context);
    // All are checked before the first is written: a batch is written whole, or not at all.
    const lines = records.map((record) => ({
      level: levelName(record.level),
      fields: encodeRecord(record),
    }));
    const { id, parent } = context as Partial<CallRecord>;
    for (const { level, fields } of lines) {
      if (!this.#enabled(caller.name, level)) continue;
      const rate = this.#rate(caller.name);
      if (!rate.take()) continue;
      const dropped = rate.dropped();
      if (dropped > 0) {
        this.#sink.write("warn", {
          guest: caller.name,
          dropped,
          msg: `${dropped} records of ${caller.name} were dropped: it writes more than ${this.#limits.recordsPerSecond} a second`,
        });
      }
      this.#sink.write(level, {
        guest: caller.name,
        instance: caller.instance,
        call: id,
        parent: parent?.id,
        ...fields,
      });
    }
  }

  #rate(guest: string): Rate {
    let rate = this.#rates.get(guest);
    if (rate === undefined)
      this.#rates.set(guest, (rate = new Rate(this.#limits.recordsPerSecond, this.#limits.clock)));
    return rate;
  }
}

function levelName(level: number): LevelName {
  const name = LEVELS[level - 1];
  if (name === undefined)
    throw new ConnectError("a record needs a level, 1 (trace) to 6 (fatal)", Code.InvalidArgument);
  return name;
}
