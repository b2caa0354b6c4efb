import type { Writable } from "node:stream";
import type { Health } from "@dropthrough/dispatch";
import { type Logger, pino } from "pino";
import pinoPretty from "pino-pretty";
import type { LevelName } from "./level.ts";
import { openOutlet } from "./open-outlet.ts";
import type { Outlet } from "./outlet.ts";

const CLOSE_TIMEOUT_MS = 1_000;
/** Bytes of the last words, which stand on standard error. */
const LAST_BYTES = 1_000;
/** What a person has no use for on a line, or finds in its message. */
const HIDDEN = "pid,hostname,guest,instance,call,parent,ancestors,traceId,spanId";

/**
 * What became of the records, since the start. Each is one of these: all of them together are the records that reached their guest's level, and
 * the lines that the log has told of itself.
 */
export interface LogCounts {
  /** Lines that the sink took and has not lost; some may wait. */
  readonly written: number;
  /** Records that were above a guest's rate. */
  readonly dropped: number;
  /** Records that sampling left out. */
  readonly skipped: number;
  /** Records that were above a bound on their size, or none: their guest was told so. */
  readonly refused: number;
  /** Lines that the sink had no room for, or had and lost. */
  readonly lost: number;
  /** Lines of the log itself, such as those that say how many records were dropped. They are among those written and lost. */
  readonly told: number;
}

/** What lines go to, and how they look; as in `LogOptions`. */
export interface SinkOptions {
  readonly stream?: Writable;
  readonly file?: string;
  readonly pretty?: boolean;
}

/** Lines by pino, into an outlet. What the outlet has no room for is counted, and a line says so when it goes on. */
export class Sink {
  readonly counts: { -readonly [K in keyof LogCounts]: LogCounts[K] } = {
    written: 0,
    dropped: 0,
    skipped: 0,
    refused: 0,
    lost: 0,
    told: 0,
  };
  readonly #outlet: Outlet;
  readonly #logger: Logger;
  readonly #isStderr: boolean;
  /** Lines that were lost and that no line has told of. */
  #untold = 0;
  /** Bytes of the line that was sent last; undefined if there was no room for it. */
  #sent: number | undefined;
  #closing: Promise<void> | undefined;

  constructor({ stream, file, pretty }: SinkOptions, bufferBytes: number) {
    this.#isStderr = file === undefined && (stream === undefined || stream === process.stderr);
    this.#outlet = openOutlet(stream ?? file, bufferBytes, {
      drained: () => this.#tell(),
      lost: (lines) => {
        this.counts.written -= lines;
        this.#lost(lines);
      },
    });
    const print = (pretty ?? this.#outlet.terminal) ? prettyLine(this.#outlet.terminal) : undefined;
    const write = (line: string): void => this.#send(print?.(line) ?? line);
    this.#logger = pino(
      { level: "trace", base: null, timestamp: pino.stdTimeFunctions.isoTime },
      { write },
    );
  }

  /** Nothing is written any more. */
  get closing(): boolean {
    return this.#closing !== undefined;
  }

  /** Writes one line; answers how many bytes it has, or undefined if it is lost. */
  write(level: LevelName, fields: object): number | undefined {
    if (this.#outlet.waiting === 0) this.#tell();
    this.#logger[level](fields);
    if (this.#sent === undefined) this.#lost(1);
    return this.#sent;
  }

  /** The same for a line of the log itself. */
  tell(level: LevelName, fields: object): number | undefined {
    this.counts.told++;
    return this.write(level, fields);
  }

  #send(line: string): void {
    const taken = this.#outlet.write(line);
    if (taken) this.counts.written++;
    // Last: while it wrote, the outlet may have had another one sent.
    this.#sent = taken ? Buffer.byteLength(line) : undefined;
  }

  #lost(lines: number): void {
    this.#untold += lines;
    this.counts.lost += lines;
  }

  /** Says how many lines were lost, if it can be said. */
  #tell(): void {
    const lost = this.#untold;
    if (lost === 0 || this.#closing !== undefined || this.#outlet.trouble !== undefined) return;
    this.#untold = 0;
    this.#logger.warn({ lost, msg: `${lost} lines were lost: the log's sink did not take them` });
    if (this.#sent === undefined) this.#untold += lost;
    else this.counts.told++;
  }

  health(): Health {
    const { trouble } = this.#outlet;
    const lost = this.#untold > 0 ? `${this.#untold} lines were lost` : undefined;
    if (trouble === undefined && lost === undefined) return { ok: true };
    return { ok: false, message: [trouble, lost].filter(Boolean).join("; ") };
  }

  /** Waits, up to a second, until what was written has arrived. What has not is lost, and only standard error is left to say so. */
  async close(): Promise<void> {
    this.#tell();
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    await this.#outlet.close(CLOSE_TIMEOUT_MS);
    const lost = this.#untold;
    if (lost === 0 || this.#isStderr) return;
    const stderr = openOutlet(undefined, LAST_BYTES, { drained: () => {}, lost: () => {} });
    stderr.write(`the log was closed: ${lost} lines were lost, its sink did not take them\n`);
    await stderr.close(CLOSE_TIMEOUT_MS);
  }
}

/** Makes lines for people: `[12:00:00.123] INFO: words.facade: connected {"attributes":{"n":3}}`. */
function prettyLine(terminal: boolean): (line: string) => string {
  const format = pinoPretty.prettyFactory({
    colorize: terminal && (process.env["NO_COLOR"] ?? "") === "",
    ignore: HIDDEN,
    singleLine: true,
    translateTime: "HH:MM:ss.l",
    messageFormat: ({ guest, msg }) =>
      typeof guest === "string" ? `${guest}: ${String(msg)}` : String(msg),
  });
  // Given a line as text, pino-pretty leaves out keys such as "__proto__".
  return (line) => format(JSON.parse(line)) ?? line;
}
