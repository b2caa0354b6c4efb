import { printable } from "@dropthrough/dispatch";

/** The levels as pino numbers them, the least important first. */
export const LEVELS: Readonly<Record<string, number>> = {
  trace: 10,
  debug: 20,
  info: 30,
  warn: 40,
  error: 50,
  fatal: 60,
};

/** One line of the log backend, as far as it is understood. */
export interface LogRecord {
  /** Pino's number. */
  readonly level: number;
  /** The host's time, RFC 3339. */
  readonly time: string;
  readonly guest: string | undefined;
  /** The call by which it was written. */
  readonly call: number | undefined;
  /** The calls that it was written for, the outermost first; the last one is what its guest was answering. */
  readonly path: readonly number[];
  readonly message: string;
  readonly attributes: unknown;
  readonly error: Readonly<Record<string, unknown>> | undefined;
}

/** Calls are nested 32 deep; whoever says otherwise did not write this log. */
const MOST_DEPTH = 256;

/** A record from its line; undefined if it is none: somebody else may write to the file, too. */
export function readRecord(line: string): LogRecord | undefined {
  const value = parse(line);
  if (value === undefined) return undefined;
  const { level, time, guest, call, parent, ancestors, msg, attributes, error } = value;
  if (typeof level !== "number" || typeof time !== "string" || typeof msg !== "string")
    return undefined;
  if (guest !== undefined && typeof guest !== "string") return undefined;
  const path = [
    ...(Array.isArray(ancestors) ? (ancestors.slice(0, MOST_DEPTH + 1) as unknown[]) : []),
    ...(parent === undefined ? [] : [parent]),
  ];
  const ids = [...path, ...(call === undefined ? [] : [call])];
  // Ids ascend in the order of the starts, so those above a call are below it.
  if (path.length > MOST_DEPTH || !ids.every((id, i) => isId(id) && id > Number(ids[i - 1] ?? 0)))
    return undefined;
  return {
    level,
    time,
    guest,
    call: call as number | undefined,
    path: path as number[],
    message: msg,
    attributes,
    error: isObject(error) ? error : undefined,
  };
}

function parse(line: string): Record<string, unknown> | undefined {
  if (!line.startsWith("{")) return undefined;
  try {
    const value: unknown = JSON.parse(line);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isId(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0;
}

/**
 * A record as lines for people, the first of them `12:00:00.123 INFO words.facade: connected {"n":3}`. Whatever it holds is escaped.
 *
 * @param guest whether the guest is named
 */
export function recordLines(record: LogRecord, guest: boolean): string[] {
  const { level, time, message, attributes, error } = record;
  const name = Object.keys(LEVELS).find((key) => LEVELS[key] === level) ?? String(level);
  const clock = /^\d{4}-\d\d-\d\dT(\d\d:\d\d:\d\d\.\d{3})Z$/.exec(time)?.[1] ?? time;
  const who = guest && record.guest !== undefined ? `${record.guest}: ` : "";
  const facts = attributes === undefined ? "" : ` ${JSON.stringify(attributes)}`;
  const first = `${clock} ${name.toUpperCase()} ${who}${message}${facts}`;
  return [first, ...errorLines(error)].map((line) => printable(line));
}

function errorLines(error: LogRecord["error"]): string[] {
  if (error === undefined) return [];
  const text = (key: string): string => {
    const value = error[key];
    return typeof value === "string" ? value : "";
  };
  const head = [text("type"), text("message")].filter((part) => part !== "").join(": ");
  // The mark tells a line that the guest made up from a record or a call, which a tree indents as well.
  return [head, ...text("stack").split("\n")]
    .filter((line) => line !== "")
    .map((line) => `    | ${line}`);
}
