import { setImmediate as nextTurn } from "node:timers/promises";
import { Code, ConnectError, type HandlerContext } from "@connectrpc/connect";
import type { Clock } from "@dropthrough/dispatch";
import type { DiskPath } from "./disk.ts";
import { FileEventType } from "./gen/dropthrough/file/v1/file_pb.ts";
import { failure, Walk } from "./walk.ts";
import { WatchedDirectory, type Watcher } from "./watched-directory.ts";

/** Bytes of names that a watch keeps. */
const MOST_BYTES = 256 * 1024;
/** Events that are heard in one turn: 20 ms or so. */
const MOST_HEARD = 16_384;
/** What WriteFile writes under, before it renames it. */
const TEMPORARY = /(^|\/)\.[0-9a-f]{18}\.tmp$/;

/** What a read of a watch answers. */
export interface Events {
  readonly events: { readonly path: string; readonly type: FileEventType }[];
  readonly lost: bigint;
  readonly unwatched: number;
}

/** The call that reads. Its signal is made when it is first asked for. */
type Reader = Pick<HandlerContext, "signal">;

/** What all watches of one guest instance share. */
export class WatchRoom {
  readonly most: number;
  /** How many directories it may watch still. */
  left: number;
  #heard = 0;

  constructor(most: number) {
    this.most = most;
    this.left = most;
  }

  /** Whether there is room for one more event in this turn of the event loop. */
  hear(): boolean {
    if (this.#heard === 0) setImmediate(() => void (this.#heard = 0));
    return ++this.#heard <= MOST_HEARD;
  }
}

/**
 * What happened in a directory, until it is read. One name is kept once, however often something happened to it; what did is found out when it
 * is read, by a look at what is there.
 *
 * ```text
 *  lost ◀── dropped when full ── │ oldest … newest │ ◀── name
 *                        read ◀──┘
 * ```
 */
export class Watch implements Disposable, Watcher {
  readonly #most: number;
  readonly #room: WatchRoom;
  readonly #root: WatchedDirectory;
  /** Paths below the directory, and whether that name came or went. */
  readonly #kept = new Map<string, boolean>();
  #bytes = 0;
  #lost = 0n;
  #unwatched = 0;
  #failed = false;
  #isOver = false;
  #wake: (() => void) | undefined;

  /** @throws ConnectError RESOURCE_EXHAUSTED if there is no room; FAILED_PRECONDITION if it is no directory; NodeJS.ErrnoException */
  constructor({ mount, names, path }: DiskPath, recursive: boolean, most: number, room: WatchRoom) {
    this.#most = most;
    this.#room = room;
    using walk = new Walk(mount, path);
    const found = walk.find(names);
    if (found.stats === undefined) throw failure("ENOENT");
    if (!found.stats.isDirectory())
      throw new ConnectError(`${path} is no directory`, Code.FailedPrecondition);
    // A directory of its own: the one that the walk holds is let go.
    this.#root = new WatchedDirectory(mount, this, {
      path: `${walk.here}/.`,
      prefix: "",
      recursive,
    });
    try {
      this.#root.watchBelow(false);
    } catch (error) {
      this.#root[Symbol.dispose]();
      throw error;
    }
  }

  /** Whether it has told that its directory is gone, and will tell nothing more. */
  get isOver(): boolean {
    return this.#isOver;
  }

  happened(path: string, isName: boolean): void {
    if (TEMPORARY.test(path)) return;
    const known = this.#kept.get(path);
    this.#kept.set(path, isName || known === true);
    if (known === undefined) this.#bytes += Buffer.byteLength(path);
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= this.#most && this.#bytes <= MOST_BYTES) break;
      this.#drop(oldest);
      this.#lost++;
    }
    this.#wake?.();
  }

  hear(): boolean {
    return this.#room.hear();
  }

  missed(): void {
    this.#lost++;
    this.#wake?.();
  }

  perhapsGone(): void {
    this.#wake?.();
  }

  failed(): void {
    this.#failed = true;
    this.#wake?.();
  }

  takeRoom(): void {
    const { left, most } = this.#room;
    if (left === 0) {
      const message = `${most} directories are watched already: end a watch, or do not watch those below`;
      throw new ConnectError(message, Code.ResourceExhausted);
    }
    this.#room.left--;
  }

  giveRoom(): void {
    this.#room.left++;
  }

  unwatched(): void {
    this.#unwatched++;
    this.#wake?.();
  }

  /**
   * What happened, or what happens first within a time.
   *
   * @throws ConnectError FAILED_PRECONDITION if another read is waiting; NOT_FOUND if the watch is ended meanwhile
   */
  read(most: number, waitMs: number, reader: Reader, clock: Clock): Events | Promise<Events> {
    const isReady = this.#kept.size > 0 || this.#lost > 0n || this.#unwatched > 0;
    if (this.#isGone) return this.#last(most, reader);
    if (isReady || waitMs === 0) return this.#take(most, false, reader);
    if (this.#wake !== undefined) {
      throw new ConnectError("another read of this watch is waiting", Code.FailedPrecondition);
    }
    return this.#wait(waitMs, reader.signal, clock).then(() => {
      if (this.#isOver) throw new ConnectError("the watch has ended", Code.NotFound);
      return this.#isGone ? this.#last(most, reader) : this.#take(most, false, reader);
    });
  }

  /** What happened in a directory that is gone; what the system has not told yet is waited for. */
  async #last(most: number, reader: Reader): Promise<Events> {
    await nextTurn();
    await nextTurn();
    reader.signal.throwIfAborted();
    return this.#take(most, true, reader);
  }

  // A caller that has gone takes nothing with it: what comes is for the next read.
  async #wait(ms: number, signal: AbortSignal, clock: Clock): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const gone = (): void => reject(signal.reason as Error);
    const cancel = clock.after(ms, resolve);
    signal.addEventListener("abort", gone, { once: true });
    this.#wake = resolve;
    try {
      await promise;
      // What happens at once is told at once.
      await nextTurn();
      signal.throwIfAborted();
    } finally {
      cancel();
      signal.removeEventListener("abort", gone);
      this.#wake = undefined;
    }
  }

  get #isGone(): boolean {
    return this.#failed || this.#root.isGone;
  }

  #take(most: number, isGone: boolean, reader: Reader): Events {
    const taken = [...this.#kept].slice(0, most);
    const events = taken.map(([path, isName]) => {
      this.#drop(path);
      const isThere = !isGone && this.#root.find(path.split("/")) !== undefined;
      const type = isName ? FileEventType.CREATED : FileEventType.CHANGED;
      return { path, type: isThere ? type : FileEventType.REMOVED };
    });
    const answer = { events, lost: this.#lost, unwatched: this.#unwatched };
    this.#lost = 0n;
    this.#unwatched = 0;
    // An interceptor may hold the answer back, and the call be given up meanwhile.
    if (taken.length > 0 || answer.lost > 0n || answer.unwatched > 0)
      reader.signal.addEventListener("abort", () => this.#putBack(taken, answer), { once: true });
    if (isGone && this.#kept.size === 0) {
      events.push({ path: "", type: FileEventType.REMOVED });
      this.#isOver = true;
    }
    return answer;
  }

  /** Keeps for the next read what one has taken in vain. */
  #putBack(taken: readonly (readonly [string, boolean])[], answer: Omit<Events, "events">): void {
    this.#lost += answer.lost;
    this.#unwatched += answer.unwatched;
    const later = [...this.#kept];
    this.#kept.clear();
    this.#bytes = 0;
    for (const [path, isName] of [...taken, ...later]) this.happened(path, isName);
    this.#wake?.();
  }

  #drop(path: string): void {
    if (this.#kept.delete(path)) this.#bytes -= Buffer.byteLength(path);
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    this.#wake?.();
    this.#root[Symbol.dispose]();
  }
}
