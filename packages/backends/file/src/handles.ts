import { Code, ConnectError, type HandlerContext } from "@connectrpc/connect";
import type { Clock } from "@dropthrough/dispatch";
import type { FileLimits } from "./file-limits.ts";
import type { Whence } from "./gen/dropthrough/file/v1/file_pb.ts";
import type { Info } from "./info.ts";

/** A file that a guest has open. */
export interface OpenFile extends Disposable {
  /** The guest's path. */
  readonly path: string;
  readonly info: Info;
  /**
   * Reads on; nothing at the end.
   *
   * @param context of the call that reads it
   */
  read(most: number, context: HandlerContext): Uint8Array;
  /**
   * Writes all of it where the last read or write ended; a promise where that takes time.
   *
   * @param context of the call that writes it
   */
  write(data: Uint8Array, context: HandlerContext): Promise<void> | undefined;
  /** Reads at an offset; nothing behind the end. */
  readAt(offset: number, most: number, context: HandlerContext): Uint8Array;
  /** Writes all of it at an offset. */
  writeAt(offset: number, data: Uint8Array): void;
  /** Moves where `read` and `write` go on, and answers where that is. */
  seek(offset: number, whence: Whence): number;
  truncate(size: number): void;
  /** Waits until what was written has reached the disk. */
  sync(): Promise<void>;
  /** Takes the place of being disposed, where a call closes it and that matters. */
  closedBy?(context: HandlerContext): void;
}

interface Handle {
  readonly file: OpenFile;
  /** The turn in which it was used last. */
  usedIn: number;
}

/** Idle files are looked for so often in the time that they may be idle. */
const TURNS = 4;

/** The open files of one guest instance. They are closed when it ends, and when it has not used them for long. */
export class Handles implements Disposable {
  readonly #open = new Map<number, Handle>();
  readonly #limits: FileLimits;
  readonly #clock: Clock;
  #last = 0;
  /** The one that was asked for last, and its number. */
  #recent: Handle | undefined;
  #recentNumber = 0n;
  /** What time it is, as a number that costs nothing to read. */
  #turn = 0;
  #stopTurns: (() => void) | undefined;
  /** What calls hold open that take their time. */
  #held = 0;
  #ended = false;

  constructor(limits: FileLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
  }

  /** @throws ConnectError RESOURCE_EXHAUSTED if there is no room for another */
  checkRoom(): void {
    const { handles } = this.#limits;
    if (this.#open.size + this.#held < handles) return;
    throw new ConnectError(
      `${handles} files are open already, or calls that take their time have them: close some, or wait for those`,
      Code.ResourceExhausted,
    );
  }

  /**
   * What a call holds open that takes its time counts as a handle until it is done, also when its caller has given it up before.
   *
   * @throws ConnectError RESOURCE_EXHAUSTED if there is no room for another; whatever `act` throws
   */
  whileHeld<T extends object>(act: () => T | Promise<T>): T | Promise<T> {
    this.checkRoom();
    const pending = act();
    if (!(pending instanceof Promise)) return pending;
    this.#held++;
    return pending.finally(() => this.#held--);
  }

  /** @throws ConnectError ABORTED if the guest has ended meanwhile */
  add(file: OpenFile): bigint {
    if (this.#ended) {
      file[Symbol.dispose]();
      throw new ConnectError("the guest has ended", Code.Aborted);
    }
    this.#open.set(++this.#last, { file, usedIn: this.#turn });
    this.#stopTurns ??= this.#nextTurn();
    return BigInt(this.#last);
  }

  /** @throws ConnectError NOT_FOUND if it is not open */
  get(handle: bigint): OpenFile {
    let found = this.#recent;
    if (handle !== this.#recentNumber || found === undefined) {
      // No handle is as large as a number that two of them would share.
      found = this.#open.get(Number(handle));
      if (found === undefined) throw this.#notOpen(handle);
      this.#recentNumber = handle;
      this.#recent = found;
    }
    found.usedIn = this.#turn;
    return found.file;
  }

  #notOpen(handle: bigint): ConnectError {
    const { idleMs } = this.#limits;
    return new ConnectError(
      `${handle} is no open file: use the handle that Open answered; one that is not used for ${idleMs / 1000} s is closed`,
      Code.NotFound,
    );
  }

  /** @throws ConnectError NOT_FOUND if it is not open */
  close(handle: bigint, context: HandlerContext): void {
    this.get(handle);
    this.#close(Number(handle), context);
  }

  #close(number: number, context?: HandlerContext): void {
    const handle = this.#open.get(number);
    this.#open.delete(number);
    this.#recent = undefined;
    if (this.#open.size === 0) {
      this.#stopTurns?.();
      this.#stopTurns = undefined;
    }
    const file = handle?.file;
    if (context !== undefined && file?.closedBy !== undefined) file.closedBy(context);
    else file?.[Symbol.dispose]();
  }

  /** Nobody waits for it: that it fails would end the host, and leave the others open. */
  #closeUnheard(number: number): void {
    try {
      this.#close(number);
    } catch {
      // The descriptor is free all the same.
    }
  }

  #nextTurn(): () => void {
    return this.#clock.after(this.#limits.idleMs / TURNS, () => {
      this.#turn++;
      this.#stopTurns = undefined;
      for (const [number, { usedIn }] of this.#open)
        if (this.#turn - usedIn > TURNS) this.#closeUnheard(number);
      if (this.#open.size > 0) this.#stopTurns = this.#nextTurn();
    });
  }

  [Symbol.dispose](): void {
    this.#ended = true;
    for (const number of this.#open.keys()) this.#closeUnheard(number);
  }
}
