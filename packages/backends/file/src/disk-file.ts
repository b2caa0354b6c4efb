import type { BigIntStats } from "node:fs";
import { Code, ConnectError, type HandlerContext } from "@connectrpc/connect";
import { bytesAt, callOf } from "@dropthrough/dispatch";
import type { DiskPath } from "./disk.ts";
import { fileError } from "./file-error.ts";
import { type OpenRequest, Whence } from "./gen/dropthrough/file/v1/file_pb.ts";
import type { OpenFile } from "./handles.ts";
import { type Info, infoOf } from "./info.ts";
import type { Disk } from "./mounts.ts";
import type { OpenCount, Quota } from "./quota.ts";
import type { ReadSource } from "./read-ahead.ts";

/** Reads of up to so many bytes do not ask for the size of the file first: that takes as long as the read. */
const SHORT = 64 * 1024;
/** The id of a call that did not come through a registry: none follows it. */
const NO_CALL = -Infinity;

/** A regular file of a disk that a guest has open. */
export class DiskFile implements OpenFile, ReadSource {
  readonly path: string;
  readonly info: Info;
  readonly #disk: Disk;
  readonly #quota: Quota;
  readonly #fd: number;
  readonly #count: OpenCount;
  readonly #guest: string;
  readonly #mode: Pick<OpenRequest, "read" | "write" | "append">;
  /** Where Read and Write go on. */
  #at = 0;
  #syncing = 0;
  #disposed = false;

  constructor(
    { mount, path, guest }: DiskPath,
    quota: Quota,
    fd: number,
    stats: BigIntStats,
    mode: Pick<OpenRequest, "read" | "write" | "append">,
  ) {
    this.#disk = mount;
    this.#quota = quota;
    this.#fd = fd;
    this.path = path;
    this.#guest = guest;
    this.info = infoOf(stats);
    this.#count = quota.opened(Number(stats.ino));
    this.#mode = mode;
  }

  // The bytes are read when they are encoded, straight into the memory of the guest: from where others have left off by then.
  read(most: number, context: HandlerContext): Uint8Array {
    const { ahead } = this.#disk;
    const call = callOf(context)?.id ?? NO_CALL;
    ahead.asks(call);
    return bytesAt(this.#left(this.#at, most), (memory, at, length) => {
      const offset = this.#at;
      const read = ahead.read(this, memory, at, length, offset, call);
      this.#at = offset + read;
      return read;
    });
  }

  readAt(offset: number, most: number, context: HandlerContext): Uint8Array {
    const { ahead } = this.#disk;
    const call = callOf(context)?.id ?? NO_CALL;
    ahead.asks(call);
    return bytesAt(this.#left(offset, most), (memory, at, length) =>
      ahead.read(this, memory, at, length, offset, call),
    );
  }

  take(memory: Uint8Array, at: number, length: number, offset: number): number {
    // Somebody may have waited before the answer was encoded. By now the number of the descriptor may be another file's, of the host too.
    if (this.#disposed)
      throw new ConnectError(`${this.path} was closed before it was read`, Code.NotFound);
    try {
      return this.#disk.fs.readSync(this.#fd, memory, at, length, offset);
    } catch (error) {
      throw fileError(error, this.path);
    }
  }

  /** Bytes of their own. */
  copyAt(offset: number, most: number): Uint8Array {
    const buffer = new Uint8Array(this.#left(offset, most));
    return buffer.subarray(0, this.#disk.fs.readSync(this.#fd, buffer, 0, buffer.length, offset));
  }

  /** How many bytes a read answers at most. */
  #left(offset: number, most: number): number {
    if (!this.#mode.read) {
      throw new ConnectError(`${this.path} was not opened to read`, Code.FailedPrecondition);
    }
    // A short read may ask for more than there is; for a long one that would be memory for nothing.
    if (most <= SHORT) return most;
    return Math.max(0, Math.min(most, this.#size - offset));
  }

  write(data: Uint8Array): undefined {
    if (this.#mode.append) this.#at = this.#size;
    this.#put(data, this.#at);
    this.#at += data.length;
  }

  writeAt(offset: number, data: Uint8Array): void {
    if (this.#mode.append)
      throw new ConnectError(
        `${this.path} was opened to append: use Write`,
        Code.FailedPrecondition,
      );
    this.#put(data, offset);
  }

  #put(data: Uint8Array, offset: number): void {
    this.#checkWrite();
    // Nothing makes no file longer, wherever it is written.
    if (data.length === 0) return;
    if (this.#quota.limited) return this.#putWithin(this.#quota, data, offset);
    for (let done = 0; done < data.length;) done += this.#write(data, done, offset);
  }

  /** What a system call writes of it, from `done` on. */
  #write(data: Uint8Array, done: number, offset: number): number {
    // To append is the kernel's work, so that two writers do not overwrite each other.
    const at = this.#mode.append ? null : offset + done;
    return this.#disk.fs.writeSync(this.#fd, data, done, data.length - done, at);
  }

  #putWithin(quota: Quota, data: Uint8Array, offset: number): void {
    const before = this.#size;
    quota.grow(this.#count.inode, this.#guest, offset + data.length - before);
    let done = 0;
    try {
      while (done < data.length) done += this.#write(data, done, offset);
    } finally {
      if (done < data.length) {
        const reached = Math.max(before, offset + done);
        quota.shrink(this.#count.inode, offset + data.length - reached);
      }
    }
  }

  seek(offset: number, whence: Whence): number {
    const from = { [Whence.START]: 0, [Whence.CURRENT]: this.#at, [Whence.END]: this.#size }[
      whence as number
    ];
    if (from === undefined)
      throw new ConnectError("say from where: START, CURRENT or END", Code.InvalidArgument);
    const to = from + offset;
    if (to < 0 || !Number.isSafeInteger(to))
      throw new ConnectError(`${to} is no place in a file`, Code.InvalidArgument);
    return (this.#at = to);
  }

  truncate(size: number): void {
    this.#checkWrite();
    const before = this.#size;
    const { fs } = this.#disk;
    const quota = this.#quota;
    quota.grow(this.#count.inode, this.#guest, size - before);
    try {
      fs.ftruncateSync(this.#fd, size);
    } catch (error) {
      quota.shrink(this.#count.inode, size - before);
      throw error;
    }
    quota.shrink(this.#count.inode, before - size);
  }

  async sync(): Promise<void> {
    this.#syncing++;
    try {
      await sync(this.#disk, this.#fd);
    } finally {
      this.#syncing--;
      if (this.#disposed) this.#close();
    }
  }

  /** Whether two handles are of one file, by whatever mount or name. */
  isSame(other: DiskFile): boolean {
    if (this.#disk.fs !== other.#disk.fs) return false;
    const [a, b] = [this.#disk.fs.fstatSync(this.#fd), other.#disk.fs.fstatSync(other.#fd)];
    return a.ino === b.ino && a.dev === b.dev;
  }

  get #size(): number {
    return this.#disk.fs.fstatSync(this.#fd).size;
  }

  #checkWrite(): void {
    if (!this.#mode.write)
      throw new ConnectError(`${this.path} was not opened to write`, Code.FailedPrecondition);
  }

  [Symbol.dispose](): void {
    this.#disposed = true;
    this.#close();
  }

  /** Not under the hands of a thread that waits for the disk: the number may be another file's a moment later. */
  #close(): void {
    if (this.#syncing > 0) return;
    this.#quota.closed(this.#count, () => this.#size);
    this.#disk.fs.closeSync(this.#fd);
  }
}

/** Waits until what was written to a descriptor has reached the disk; in a thread, so that no other guest waits. */
export async function sync({ fs }: Disk, fd: number): Promise<void> {
  await new Promise<void>((resolve, reject) =>
    fs.fsync(fd, (error) => (error ? reject(error) : resolve())),
  );
}
