import { printable } from "@dropthrough/dispatch";
import { readLines } from "./line-reader.ts";
import { type LogRecord, LEVELS, readRecord, recordLines } from "./log-record.ts";
import { LogTree } from "./log-tree.ts";

/** Which records are shown, and how. */
export interface LogsOptions {
  /** Below the calls that they were written for. Default false. */
  readonly tree?: boolean;
  /** Of one guest alone. */
  readonly guest?: string;
  /** Of this level and above: `trace`, `debug`, `info`, `warn`, `error` or `fatal`. */
  readonly level?: string;
}

/** Bytes of one line; what is longer is no record. */
const MOST_LINE = 1024 * 1024;
/** Characters that are kept for trees. */
const MOST_KEPT = 8 * 1024 * 1024;
/** Characters of a line that is no record. */
const MOST_FOREIGN = 500;
/** Milliseconds without a line after which whoever reads along is shown what there is. */
const QUIET_MS = 300;
/** The same if lines never cease. */
const BUSY_MS = 2_000;

/**
 * Shows the lines of the log backend to people, as they come. A line that is none of them is shown as `?` and its text, unless one asks for
 * a guest or a level; nothing in any line drives the terminal.
 *
 * @param print takes a line without its end; a promise is waited for
 */
export async function logs(
  source: AsyncIterable<Uint8Array | string>,
  print: (line: string) => void | Promise<void>,
  options: LogsOptions = {},
): Promise<void> {
  const { tree = false, guest, level } = options;
  const least = level === undefined ? 0 : (LEVELS[level] ?? 0);
  const filtered = guest !== undefined || level !== undefined;
  const wanted = (record: LogRecord): boolean =>
    record.level >= least && (guest === undefined || record.guest === guest);
  const printed: Promise<void>[] = [];
  const put = (line: string): void => {
    const printing = print(line);
    if (printing !== undefined) printed.push(printing);
  };
  const forest = new LogTree(put, MOST_KEPT);
  const show = (text: string, cut: boolean): void => {
    const record = cut ? undefined : readRecord(text);
    if (record === undefined) {
      if (!filtered && text !== "") forest.text(printable(`? ${shorten(text, cut)}`));
    } else if (!wanted(record)) forest.pass(record);
    else if (tree) forest.add(record, text.length);
    else for (const line of recordLines(record, true)) put(line);
  };
  let quiet: NodeJS.Timeout | undefined;
  let since: number | undefined;
  const showTrees = (): void => {
    forest.end();
    since = undefined;
  };
  try {
    for await (const { text, cut } of readLines(source, MOST_LINE)) {
      clearTimeout(quiet);
      show(text, cut);
      await Promise.all(printed.splice(0));
      if (!tree) continue;
      since ??= performance.now();
      if (performance.now() - since > BUSY_MS) showTrees();
      else quiet = setTimeout(showTrees, QUIET_MS).unref();
    }
  } finally {
    clearTimeout(quiet);
  }
  forest.end();
  await Promise.all(printed);
}

function shorten(text: string, cut: boolean): string {
  return cut || text.length > MOST_FOREIGN ? `${text.slice(0, MOST_FOREIGN)}…` : text;
}
