import { Code, ConnectError } from "@connectrpc/connect";

/** How many bytes of the host's memory each guest holds, all its instances together: files in memory outlive who wrote them. */
export class HeldMemory {
  readonly #most: number;
  readonly #held = new Map<string, number>();

  constructor(most: number) {
    this.#most = most;
  }

  /** @throws ConnectError RESOURCE_EXHAUSTED if the guest would hold more than it may */
  take(guest: string, bytes: number): void {
    const held = this.#held.get(guest) ?? 0;
    if (held + bytes > this.#most) {
      throw new ConnectError(
        `a guest may hold ${this.#most} bytes of memory in files and streams, and this one holds ${held}: remove files, or wait for the readers of its streams`,
        Code.ResourceExhausted,
      );
    }
    if (bytes > 0) this.#held.set(guest, held + bytes);
  }

  /** So many are free again. */
  give(guest: string, bytes: number): void {
    const left = (this.#held.get(guest) ?? 0) - bytes;
    if (left > 0) this.#held.set(guest, left);
    else this.#held.delete(guest);
  }
}

/**
 * Who holds the bytes of the files of one mount in memory: whoever made a file longer.
 *
 * ```text
 *  inode 7:  a 100 │ b 20      30 bytes shorter ─▶  a 90
 * ```
 */
export class Holders {
  readonly #memory: HeldMemory;
  /** By inode, and then by guest, who came first. */
  readonly #files = new Map<number, Map<string, number>>();

  constructor(memory: HeldMemory) {
    this.#memory = memory;
  }

  /** @throws ConnectError RESOURCE_EXHAUSTED if the guest would hold more than it may */
  grow(inode: number, guest: string, bytes: number): void {
    this.#memory.take(guest, bytes);
    let holders = this.#files.get(inode);
    if (holders === undefined) this.#files.set(inode, (holders = new Map()));
    holders.set(guest, (holders.get(guest) ?? 0) + bytes);
  }

  /** Who came last gets back first. */
  shrink(inode: number, bytes: number): void {
    const holders = this.#files.get(inode);
    if (holders === undefined) return;
    let left = bytes;
    for (const [guest, held] of [...holders].toReversed()) {
      const given = Math.min(held, left);
      this.#memory.give(guest, given);
      left -= given;
      if (given < held) holders.set(guest, held - given);
      else holders.delete(guest);
      if (left === 0) break;
    }
    if (holders.size === 0) this.#files.delete(inode);
  }

  /** A file is known by another number from now on. */
  rename(inode: number, to: number): void {
    const holders = this.#files.get(inode);
    if (holders === undefined) return;
    this.#files.delete(inode);
    this.#files.set(to, holders);
  }

  /** The file is gone. */
  remove(inode: number): void {
    this.shrink(inode, Infinity);
  }
}
