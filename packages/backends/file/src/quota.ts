import type { Stats } from "node:fs";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Holders } from "./held-memory.ts";

const UNITS: Readonly<Record<string, number>> = {
  B: 1,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};

/**
 * A number of bytes: a number, or text such as `1 GiB`.
 *
 * @throws TypeError for anything else
 */
export function parseBytes(value: number | string): number {
  if (typeof value === "number" && value >= 0) return value;
  const [, number = "", unit = ""] = /^(\d+(?:\.\d+)?)\s*([KMGT]iB|B)$/.exec(String(value)) ?? [];
  const bytes = Number(number) * (UNITS[unit] ?? Number.NaN);
  if (Number.isNaN(bytes))
    throw new TypeError(`"${value}" is no number of bytes: write 1048576, or "1 MiB"`);
  return Math.floor(bytes);
}

/** What a mount may hold, or holds: bytes of its regular files, and names in its directories. */
export interface Room {
  readonly bytes: number;
  readonly entries: number;
}

/** How much the files of a mount may be together. What others change on the disk meanwhile is not seen. */
export class Quota {
  /** Whether anything is counted at all. */
  readonly limited: boolean;
  readonly #most: Room;
  readonly #outer: Quota | undefined;
  readonly #holders: Holders | undefined;
  readonly #used: { bytes: number; entries: number };
  /** By inode, which is another file's once the last name is gone. */
  readonly #open: Map<number, OpenCount>;

  /**
   * @param used what is there already
   * @param around the quota of a folder around this one, in which all counts too; where it is memory that is used, who holds it
   */
  constructor(
    most: Room,
    used: Room,
    around: { readonly outer?: Quota | undefined; readonly holders?: Holders } = {},
  ) {
    this.#most = most;
    this.#used = { ...used };
    this.#outer = around.outer;
    this.#holders = around.holders;
    const { bytes, entries } = most;
    this.limited = bytes !== Infinity || entries !== Infinity || around.holders !== undefined;
    const { outer } = around;
    this.#open = outer === undefined ? new Map() : outer.#open;
  }

  /**
   * A guest makes a file longer.
   *
   * @throws ConnectError RESOURCE_EXHAUSTED if so many bytes more do not fit, or the guest holds too much memory
   */
  grow(inode: number, guest: string, bytes: number): void {
    if (bytes <= 0 || !this.limited) return;
    this.take(bytes);
    try {
      this.#holders?.grow(inode, guest, bytes);
    } catch (error) {
      this.give(bytes);
      throw error;
    }
  }

  /** A file is so many bytes shorter. */
  shrink(inode: number, bytes: number): void {
    if (bytes <= 0) return;
    this.give(bytes);
    this.#holders?.shrink(inode, bytes);
  }

  /** @throws ConnectError RESOURCE_EXHAUSTED if so many more do not fit */
  take(bytes: number, entries = 0): void {
    if (!this.limited || (bytes <= 0 && entries <= 0)) return;
    const used = this.#used;
    const { bytes: mostBytes, entries: mostEntries } = this.#most;
    if (bytes > 0 && used.bytes + bytes > mostBytes) {
      throw new ConnectError(
        `the mount has a quota of ${mostBytes} bytes, and ${used.bytes} are used: remove something`,
        Code.ResourceExhausted,
      );
    }
    if (entries > 0 && used.entries + entries > mostEntries) {
      throw new ConnectError(
        `the mount may hold ${mostEntries} files and directories, and ${used.entries} are there: remove something`,
        Code.ResourceExhausted,
      );
    }
    this.#outer?.take(bytes, entries);
    used.bytes += Math.max(0, bytes);
    used.entries += entries;
  }

  /** So many are free again; or, below zero, are there besides, as somebody has seen. */
  give(bytes: number, entries = 0): void {
    this.#outer?.give(bytes, entries);
    this.#used.bytes = Math.max(0, this.#used.bytes - bytes);
    this.#used.entries = Math.max(0, this.#used.entries - entries);
  }

  /** A name is gone. Its bytes are free with its last name, and only once nobody has the file open: until then the disk has it. */
  removed(stats: FileStats): void {
    if (!this.limited) return;
    const last = stats.isFile() && stats.nlink <= 1;
    const open = last ? this.#open.get(stats.ino) : undefined;
    if (open !== undefined) {
      open.nameless = true;
      this.#open.delete(stats.ino);
      open.inode = --lastNameless;
      this.#holders?.rename(stats.ino, open.inode);
    }
    const free = last && open === undefined;
    this.give(free ? stats.size : 0, 1);
    if (free) this.#holders?.remove(stats.ino);
  }

  opened(inode: number): OpenCount {
    let open = this.#open.get(inode);
    if (open === undefined) {
      open = { inode, times: 0, nameless: false };
      if (this.limited) this.#open.set(inode, open);
    }
    open.times++;
    return open;
  }

  /** @param size asked for if the file is gone now */
  closed(open: OpenCount, size: () => number): void {
    if (--open.times > 0) return;
    if (open.nameless) {
      this.give(size());
      this.#holders?.remove(open.inode);
    } else this.#open.delete(open.inode);
  }
}

let lastNameless = 0;

/** How often a file is open, and whether its last name is gone. */
export interface OpenCount {
  /** Below zero once its last name is gone: in memory, the next file has its number then. */
  inode: number;
  times: number;
  nameless: boolean;
}

/** What a file system says of a file, as far as a quota wants to know. */
type FileStats = Pick<Stats, "ino" | "nlink" | "size" | "isFile">;
