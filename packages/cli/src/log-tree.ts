import { printable } from "@dropthrough/dispatch";
import { type LogRecord, recordLines } from "./log-record.ts";

/** A call that records were written for, directly or further in. */
interface CallNode {
  readonly id: number;
  /** Who answers it, once a record of that guest has come. */
  guest: string | undefined;
  /** In the order in which they came. */
  readonly children: Child[];
  readonly calls: Map<number, CallNode>;
}

/** What stands below a call: by its start, and what started at once by when it came. */
interface Child {
  readonly start: number;
  readonly item: CallNode | LogRecord;
}

/** One call of the outermost, with all that was written for it so far. */
interface Root extends CallNode {
  size: number;
}

/** A call takes about as much room as a line of so many characters. */
const CALL_SIZE = 256;
/** How many printed calls are remembered, to mark what comes for them later. */
const MOST_PRINTED = 65_536;
/** Milliseconds between two records of one call. */
const AT_ONCE_MS = 1_000;

/**
 * Puts records below the calls that they were written for, each in the order of the starts:
 *
 * ```text
 * #2 words.facade                              the outermost call, and who answers it
 *   12:00:00.123 INFO facade begins
 *   #5 store
 *     12:00:00.124 INFO store begins
 *   12:00:00.126 INFO facade ends
 * ```
 *
 * A log has no end, so what is kept is bounded: when there is no room the oldest tree is printed as far as it is known, and what comes for it
 * later begins a new one, marked `…`.
 */
export class LogTree {
  readonly #print: (line: string) => void;
  readonly #most: number;
  /** In the order of their first records. */
  readonly #roots = new Map<number, Root>();
  /** Goes through the roots once: a new iterator would go through all that were deleted before it finds the first one. */
  #oldest = this.#roots.values();
  #size = 0;
  /** The last record of a call. */
  #last: LogRecord | undefined;
  /** The outermost calls that were printed, the last of them. */
  readonly #printed = new Set<number>();

  /** @param most characters of lines that are kept; a call counts as 256 */
  constructor(print: (line: string) => void, most: number) {
    this.#print = print;
    this.#most = most;
  }

  /** @param size characters of its line */
  add(record: LogRecord, size: number): void {
    this.pass(record);
    const [id] = record.path;
    if (id === undefined) {
      this.#printRecord(record);
      return;
    }
    const root = this.#rootOf(id);
    const added = size + place(root, record) * CALL_SIZE;
    root.size += added;
    this.#size += added;
    while (this.#size > this.#most) this.#printOldest();
  }

  /** Takes note of a record that is not shown: what comes after it may be of another run of the host. */
  pass(record: LogRecord): void {
    if (record.call === undefined) return;
    if (this.#last !== undefined && beginsRun(record, this.#last)) this.#restart();
    this.#last = record;
  }

  /** What is no record, or of no call. It stands where it came. */
  text(line: string): void {
    this.end();
    this.#print(line);
  }

  /** Prints all that is kept. */
  end(): void {
    while (this.#roots.size > 0) this.#printOldest();
  }

  /** A line of no call is printed once all that came before it is. */
  #printRecord(record: LogRecord): void {
    this.end();
    for (const line of recordLines(record, true)) this.#print(line);
  }

  #restart(): void {
    this.end();
    this.#printed.clear();
  }

  #rootOf(id: number): Root {
    let root = this.#roots.get(id);
    if (root === undefined) {
      root = { ...newNode(id), size: CALL_SIZE };
      this.#roots.set(id, root);
      this.#size += CALL_SIZE;
    }
    return root;
  }

  #printOldest(): void {
    let root = this.#oldest.next().value;
    if (root === undefined) {
      this.#oldest = this.#roots.values();
      root = this.#oldest.next().value;
    }
    if (root === undefined) return;
    this.#roots.delete(root.id);
    this.#size -= root.size;
    this.#printNode(root, 0, this.#printed.has(root.id));
    if (this.#printed.size === MOST_PRINTED) this.#forgetHalf();
    this.#printed.add(root.id);
  }

  /** Half at once: to find the first of a set takes long when those before it were deleted one by one. */
  #forgetHalf(): void {
    let left = MOST_PRINTED / 2;
    for (const id of this.#printed) {
      if (left-- === 0) return;
      this.#printed.delete(id);
    }
  }

  #printNode(node: CallNode, depth: number, goesOn: boolean): void {
    const indent = "  ".repeat(depth);
    const who = node.guest === undefined ? "" : ` ${node.guest}`;
    this.#print(`${indent}#${node.id}${printable(who)}${goesOn ? " …" : ""}`);
    for (const { item } of node.children.toSorted((a, b) => a.start - b.start)) {
      if ("children" in item) this.#printNode(item, depth + 1, false);
      else for (const line of recordLines(item, false)) this.#print(`${indent}  ${line}`);
    }
  }
}

/** Ids begin anew when a host does. A call is of one guest, has one place, and writes its records at once. */
function beginsRun(record: LogRecord, last: LogRecord): boolean {
  const [id = 0, before = 0] = [record.call, last.call];
  if (id !== before) return id < before;
  const isElsewhere = record.guest !== last.guest || String(record.path) !== String(last.path);
  return isElsewhere || Math.abs(Date.parse(record.time) - Date.parse(last.time)) > AT_ONCE_MS;
}

function newNode(id: number): CallNode {
  return { id, guest: undefined, children: [], calls: new Map() };
}

/** Puts a record below the last call of its path; answers how many calls were new. A call that logs late may have started before what stands there. */
function place(root: Root, record: LogRecord): number {
  let node: CallNode = root;
  let added = 0;
  for (const id of record.path.slice(1)) {
    let next = node.calls.get(id);
    if (next === undefined) {
      next = newNode(id);
      node.calls.set(id, next);
      node.children.push({ start: id, item: next });
      added++;
    }
    node = next;
  }
  node.guest ??= record.guest;
  node.children.push({ start: record.call ?? node.children.at(-1)?.start ?? 0, item: record });
  return added;
}
