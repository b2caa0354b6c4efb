import { type LogRecord, recordLines } from "./log-record.ts";

/** A call that records were written for, directly or further in. */
interface CallNode {
  readonly id: number;
  /** Who answers it, once a record of that guest has come. */
  guest: string | undefined;
  readonly children: (CallNode | LogRecord)[];
}

/** One call of the outermost, with all that was written for it so far. */
interface Root extends CallNode {
  size: number;
}

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
  #size = 0;
  /** The highest call so far: ids begin anew when a host does. */
  #highest = 0;
  /** The highest call whose tree was printed. */
  #printed = 0;

  /** @param most characters of lines that are kept */
  constructor(print: (line: string) => void, most: number) {
    this.#print = print;
    this.#most = most;
  }

  /** @param size characters of its line */
  add(record: LogRecord, size: number): void {
    if (record.call !== undefined && record.call < this.#highest) this.#restart();
    this.#highest = record.call ?? this.#highest;
    const [id] = record.path;
    if (id === undefined) {
      this.#printRecord(record);
      return;
    }
    const root = this.#rootOf(id);
    place(root, record);
    root.size += size;
    this.#size += size;
    while (this.#size > this.#most) this.#printOldest();
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
    this.#printed = 0;
  }

  #rootOf(id: number): Root {
    let root = this.#roots.get(id);
    if (root === undefined)
      this.#roots.set(id, (root = { id, guest: undefined, children: [], size: 0 }));
    return root;
  }

  #printOldest(): void {
    const [root] = this.#roots.values();
    if (root === undefined) return;
    this.#roots.delete(root.id);
    this.#size -= root.size;
    this.#printNode(root, 0, root.id <= this.#printed);
    this.#printed = Math.max(this.#printed, root.id);
  }

  #printNode(node: CallNode, depth: number, goesOn: boolean): void {
    const indent = "  ".repeat(depth);
    const who = node.guest === undefined ? "" : ` ${node.guest}`;
    this.#print(`${indent}#${node.id}${who}${goesOn ? " …" : ""}`);
    for (const child of node.children) {
      if ("children" in child) this.#printNode(child, depth + 1, false);
      else for (const line of recordLines(child, false)) this.#print(`${indent}  ${line}`);
    }
  }
}

/** Puts a record below the last call of its path. Ids ascend, so what comes later comes last, but for the records of a call that others came between. */
function place(root: Root, record: LogRecord): void {
  let node: CallNode = root;
  for (const id of record.path.slice(1)) {
    let next = node.children.findLast(
      (child): child is CallNode => "children" in child && child.id === id,
    );
    if (next === undefined) {
      next = { id, guest: undefined, children: [] };
      insert(node.children, next, id);
    }
    node = next;
  }
  node.guest ??= record.guest;
  node.children.push(record);
}

/** Before whatever started later than the call. */
function insert(children: (CallNode | LogRecord)[], node: CallNode, id: number): void {
  let at = children.length;
  for (; at > 0; at--) {
    const before = children[at - 1];
    if (before === undefined) break;
    const started = "children" in before ? before.id : (before.call ?? 0);
    if (started < id) break;
  }
  children.splice(at, 0, node);
}
