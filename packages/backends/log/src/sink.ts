import { createWriteStream } from "node:fs";
import type { Writable } from "node:stream";
import { isatty } from "node:tty";
import type { Health } from "@dropthrough/dispatch";
import { type Logger, pino } from "pino";
import pinoPretty from "pino-pretty";
import type { LogOptions } from "./index.ts";
import type { LevelName } from "./log.ts";

const { prettyFactory } = pinoPretty;
const CLOSE_TIMEOUT_MS = 1000;

/**
 * Where lines go. A stream that is slow, full or gone blocks nobody: lines wait up to a bound, what comes on top is dropped and
 * counted, and a line says so when it goes on.
 */
export class Sink {
  readonly #stream: Writable;
  readonly #logger: Logger;
  readonly #own: boolean;
  readonly #most: number;
  #waiting = 0;
  #dropped = 0;
  #failure: Error | undefined;

  constructor(options: LogOptions) {
    this.#own = options.stream === undefined;
    // process.stderr writes to a pipe synchronously, so a reader that stops would stop the host.
    this.#stream = options.stream ?? createWriteStream("", { fd: 2, autoClose: false });
    this.#most = options.bufferBytes ?? 4 * 1024 * 1024;
    this.#stream.on("error", (error) => (this.#failure = error));
    const terminal =
      options.stream === undefined
        ? isatty(2)
        : (options.stream as { isTTY?: boolean }).isTTY === true;
    const pretty =
      (options.pretty ?? terminal)
        ? prettyFactory({ colorize: terminal, ignore: "pid,hostname", translateTime: "HH:MM:ss.l" })
        : undefined;
    const write = (line: string): void => this.#send(pretty?.(line) ?? line);
    this.#logger = pino(
      { level: "trace", base: null, timestamp: pino.stdTimeFunctions.isoTime },
      { write },
    );
  }

  /** Writes one line. */
  write(level: LevelName, fields: object): void {
    this.#logger[level](fields);
  }

  #send(line: string): void {
    const size = Buffer.byteLength(line);
    if (this.#failure !== undefined || this.#waiting + size > this.#most) {
      this.#dropped++;
      return;
    }
    this.#waiting += size;
    this.#stream.write(line, (error) => {
      this.#waiting -= size;
      if (error) {
        this.#dropped++;
        this.#failure = error;
      } else if (this.#dropped > 0 && this.#waiting === 0) {
        const dropped = this.#dropped;
        this.#dropped = 0;
        this.write("warn", {
          dropped,
          msg: `${dropped} lines were dropped: the stream was too slow`,
        });
      }
    });
  }

  health(): Health {
    if (this.#failure !== undefined)
      return { ok: false, message: `the log's stream has failed: ${this.#failure.message}` };
    if (this.#dropped > 0)
      return {
        ok: false,
        message: `the log's stream is too slow: ${this.#dropped} lines were dropped`,
      };
    return { ok: true };
  }

  /** Waits, up to a second, until what was written has arrived. */
  async close(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, CLOSE_TIMEOUT_MS);
    if (this.#failure !== undefined) resolve();
    else if (this.#own) this.#stream.end(resolve);
    else this.#stream.write("", () => resolve());
    await promise;
    clearTimeout(timer);
  }
}
