import { constants, type Stats } from "node:fs";
import { basename } from "node:path";
import { Code, ConnectError } from "@connectrpc/connect";
import { type Disk, MOST_NAMES } from "./mounts.ts";
import type { Quota } from "./quota.ts";

const MOST_LINKS = 40;
const { O_DIRECTORY, O_NOFOLLOW, O_RDONLY } = constants;

/** Where a path leads: a name in a directory that is held, so that nothing can be put in its place. */
export interface Found {
  /** To be opened with O_NOFOLLOW, while the walk is not disposed. */
  readonly path: string;
  /** Undefined if there is no such name: it may be made. */
  readonly stats: Stats | undefined;
}

/**
 * Follows names below a root, one at a time, and never leaves it.
 *
 * On Linux each directory on the way is held by a descriptor, and the next name is looked up below
 * `/proc/self/fd/<descriptor>`: whatever is renamed or replaced meanwhile, the lookup happens in the directory that was checked. Elsewhere the
 * names are joined to a path, which somebody with access to the mount could swap between check and use. In memory nobody else has.
 *
 * ```text
 *  /data/a/link/b   root fd 20 ── a: directory, fd 21 ── link: "../c" ── back to 20, c: fd 22 ── b
 * ```
 */
export class Walk implements Disposable {
  readonly #disk: Disk;
  readonly #guestPath: string;
  /** The directories from the root down to where the walk is. */
  readonly #held: { readonly path: string; readonly fd: number; readonly quota: Quota }[] = [];
  #links = 0;

  constructor(disk: Disk, guestPath: string) {
    this.#disk = disk;
    this.#guestPath = guestPath;
  }

  /** The directory in which the walk has ended. */
  get here(): string {
    const here = this.#held.at(-1);
    if (here === undefined) throw new Error("the walk has not begun");
    return here.path;
  }

  /** What counts in that directory. */
  get quota(): Quota {
    return this.#held.at(-1)?.quota ?? this.#disk.quota;
  }

  /**
   * Finds what names lead to, links followed.
   *
   * @throws ConnectError PERMISSION_DENIED if they lead out of the root; FAILED_PRECONDITION for too many links
   * @throws NodeJS.ErrnoException whatever the file system says
   */
  find(names: readonly string[]): Found {
    return this.#find(names, false);
  }

  /**
   * Finds a directory, links followed, and makes those on the way that are missing.
   *
   * @param make makes one, in the directory in which the walk is then
   * @throws as `find`; NodeJS.ErrnoException EEXIST for a link to nothing
   */
  findOrMake(names: readonly string[], make: (path: string) => void): Found {
    return this.#find(names, false, make);
  }

  /**
   * Finds a name in its directory: a link is a link, and a directory is not entered. For what changes names.
   *
   * @throws as `find`; ConnectError FAILED_PRECONDITION for the root itself
   */
  entry(names: readonly string[]): Found {
    const slash = names.at(-1) === ".";
    const clean = slash ? names.slice(0, -1) : names;
    const last = clean.at(-1);
    if (last === undefined || last === ".." || last === ".") {
      throw new ConnectError(
        `${this.#guestPath} is a mount, or ends in "..": name what is to be changed`,
        Code.FailedPrecondition,
      );
    }
    const found = this.#find(clean, true);
    // A slash behind it says that it is a directory; of a link, what it leads to is, and that is not what is to be changed.
    if (slash && found.stats?.isDirectory() === false) throw failure("ENOTDIR");
    return found;
  }

  #find(names: readonly string[], entry: boolean, make?: (path: string) => void): Found {
    const { fs, root, file, pinned, quota } = this.#disk;
    if (file !== undefined) {
      // A mount of a single file has nothing below it.
      if (names.length > 0 || entry) throw failure("ENOTDIR");
      const path = `${root}/${file}`;
      return { path, stats: fs.lstatSync(path, { throwIfNoEntry: false }) };
    }
    this.#held.push({ path: root === "/" ? "" : root, fd: -1, quota });
    const stats = fs.lstatSync(pinned ? `${root}/.` : root);
    if (!stats.isDirectory()) throw failure("ENOTDIR");
    const todo = [...names];
    /** How many names are left once those of links are done. */
    let linked = Infinity;
    let last: Found = { path: `${this.here}/.`, stats };
    for (let name = todo.shift(); name !== undefined; name = todo.shift()) {
      if (last.stats === undefined || !last.stats.isDirectory()) {
        throw failure(last.stats === undefined ? "ENOENT" : "ENOTDIR");
      }
      if (name === ".") continue;
      if (name === "..") {
        last = this.#leave();
        continue;
      }
      const path = `${this.here}/${name}`;
      let found = fs.lstatSync(path, { throwIfNoEntry: false });
      if (entry && todo.length === 0) return { path, stats: found };
      if (found === undefined && make !== undefined) {
        if (todo.length >= linked) throw failure("EEXIST");
        make(path);
        found = fs.lstatSync(path, { throwIfNoEntry: false });
      }
      if (found?.isSymbolicLink()) {
        linked = Math.min(linked, todo.length);
        todo.unshift(...this.#follow(path));
      } else if (found?.isDirectory()) {
        this.#enter(path, found);
        last = { path: `${this.here}/.`, stats: found };
      } else last = { path, stats: found };
    }
    return last;
  }

  #enter(path: string, stats: Stats): void {
    const { fs, pinned, quotas } = this.#disk;
    if (this.#held.length > MOST_NAMES) throw failure("ENAMETOOLONG");
    const quota = quotas?.at(stats) ?? this.quota;
    const fd = pinned ? fs.openSync(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW) : -1;
    this.#held.push({ path: pinned ? `/proc/self/fd/${fd}` : path, fd, quota });
  }

  #leave(): Found {
    if (this.#held.length === 1) throw this.#outside();
    const left = this.#held.pop();
    if (left !== undefined && left.fd >= 0) this.#disk.fs.closeSync(left.fd);
    return { path: `${this.here}/.`, stats: this.#disk.fs.lstatSync(`${this.here}/.`) };
  }

  #follow(path: string): string[] {
    if (++this.#links > MOST_LINKS) throw failure("ELOOP");
    const target = this.#disk.fs.readlinkSync(path);
    if (target.startsWith("/") || /^[A-Za-z]:|^\\/.test(target)) throw this.#outside();
    return target.split("/").filter((name) => name !== "");
  }

  #outside(): ConnectError {
    return new ConnectError(`${this.#guestPath} leads out of its mount`, Code.PermissionDenied);
  }

  /**
   * Lets go of all directories but the one in which it has ended, and holds that by a descriptor of its own: for who is not done when others
   * have their turn. That of the mount is closed with the backend, and its number may be that of another directory a moment later.
   *
   * @param found a name in it
   * @returns the same, to be used from now on
   */
  keepHere({ path, stats }: Found): Found {
    this.#close(this.#held.splice(0, this.#held.length - 1));
    const here = this.#held.at(-1);
    if (this.#disk.pinned && here !== undefined && here.fd < 0) {
      const fd = this.#disk.fs.openSync(`${here.path}/.`, O_RDONLY | O_DIRECTORY);
      this.#held.splice(0, 1, { ...here, fd, path: `/proc/self/fd/${fd}` });
    }
    return { path: `${this.here}/${basename(path)}`, stats };
  }

  [Symbol.dispose](): void {
    this.#close(this.#held.splice(0));
  }

  #close(held: readonly { readonly fd: number }[]): void {
    for (const { fd } of held) if (fd >= 0) this.#disk.fs.closeSync(fd);
  }
}

/** An error as the operating system gives it. */
export function failure(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(code), { code });
}
