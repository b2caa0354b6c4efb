import { Code, ConnectError } from "@connectrpc/connect";
import type { Whence } from "./gen/dropthrough/file/v1/file_pb.ts";
import type { Info } from "./info.ts";

/** A file that a guest has open. */
export interface OpenFile extends Disposable {
  /** The guest's path. */
  readonly path: string;
  readonly info: Info;
  /** Reads on; nothing at the end. */
  read(most: number): Uint8Array;
  /** Writes all of it where the last read or write ended; a promise where that takes time. */
  write(data: Uint8Array): Promise<void> | undefined;
  /** Reads at an offset; nothing behind the end. */
  readAt(offset: number, most: number): Uint8Array;
  /** Writes all of it at an offset. */
  writeAt(offset: number, data: Uint8Array): void;
  /** Moves where `read` and `write` go on, and answers where that is. */
  seek(offset: number, whence: Whence): number;
  truncate(size: number): void;
  /** Waits until what was written has reached the disk. */
  sync(): Promise<void>;
}

/** The open files of one guest instance. They are closed when it ends. */
export class Handles implements Disposable {
  readonly #files = new Map<number, OpenFile>();
  readonly #most: number;
  #last = 0;
  /** The file that was asked for last, and its handle. */
  #recent: OpenFile | undefined;
  #recentHandle = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** @throws ConnectError RESOURCE_EXHAUSTED if there is no room for another */
  checkRoom(): void {
    if (this.#files.size < this.#most) return;
    throw new ConnectError(
      `${this.#most} files are open already: close some`,
      Code.ResourceExhausted,
    );
  }

  add(file: OpenFile): bigint {
    this.#files.set(++this.#last, file);
    return BigInt(this.#last);
  }

  /** @throws ConnectError NOT_FOUND if it is not open */
  get(handle: bigint): OpenFile {
    // No handle is as large as a number that two of them would share.
    const number = Number(handle);
    if (number === this.#recentHandle && this.#recent !== undefined) return this.#recent;
    const file = this.#files.get(number);
    if (file === undefined)
      throw new ConnectError(
        `${handle} is no open file: use the handle that Open answered`,
        Code.NotFound,
      );
    this.#recentHandle = number;
    this.#recent = file;
    return file;
  }

  /** @throws ConnectError NOT_FOUND if it is not open */
  close(handle: bigint): void {
    const file = this.get(handle);
    this.#files.delete(Number(handle));
    this.#recent = undefined;
    file[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    for (const handle of this.#files.keys()) this.close(BigInt(handle));
  }
}
