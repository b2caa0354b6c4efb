import { closeSync, constants, lstatSync, openSync, readlinkSync, type Stats } from "node:fs";
import { dirname } from "node:path";
import { Code, ConnectError } from "@connectrpc/connect";

const MOST_LINKS = 40;
const { O_DIRECTORY, O_NOFOLLOW, O_RDONLY } = constants;
const pinned = process.platform === "linux";

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
 * names are joined to a path, which somebody with access to the mount could swap between check and use.
 *
 * ```text
 *  /data/a/link/b   root fd 20 ── a: directory, fd 21 ── link: "../c" ── back to 20, c: fd 22 ── b
 * ```
 */
export class Walk implements Disposable {
  readonly #root: string;
  readonly #guestPath: string;
  /** The directories from the root down to where the walk is. */
  readonly #held: { readonly path: string; readonly fd: number }[] = [];
  #links = 0;

  constructor(root: string, guestPath: string) {
    this.#root = root;
    this.#guestPath = guestPath;
  }

  /**
   * @throws ConnectError PERMISSION_DENIED if the names lead out of the root; FAILED_PRECONDITION for too many links
   * @throws NodeJS.ErrnoException whatever the operating system says
   */
  find(names: readonly string[]): Found {
    const root = lstatSync(this.#root);
    if (!root.isDirectory()) {
      // A mount of a single file has nothing below it.
      if (names.length > 0) throw Object.assign(new Error("not a directory"), { code: "ENOTDIR" });
      return { path: this.#root, stats: root };
    }
    this.#enter(this.#root);
    const todo = [...names];
    let last: Found = { path: `${this.#here}/.`, stats: root };
    for (let name = todo.shift(); name !== undefined; name = todo.shift()) {
      if (last.stats === undefined || !last.stats.isDirectory()) {
        throw Object.assign(new Error("not a directory"), {
          code: last.stats === undefined ? "ENOENT" : "ENOTDIR",
        });
      }
      if (name === ".") continue;
      if (name === "..") {
        last = this.#leave();
        continue;
      }
      const path = `${this.#here}/${name}`;
      const stats = lstatSync(path, { throwIfNoEntry: false });
      if (stats?.isSymbolicLink()) todo.unshift(...this.#follow(path));
      else if (stats?.isDirectory()) {
        this.#enter(path);
        last = { path: `${this.#here}/.`, stats };
      } else last = { path, stats };
    }
    return last;
  }

  get #here(): string {
    const here = this.#held.at(-1);
    if (here === undefined) throw new Error("the walk has not begun");
    return here.path;
  }

  #enter(path: string): void {
    const fd = pinned ? openSync(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW) : -1;
    this.#held.push({ path: pinned ? `/proc/self/fd/${fd}` : path, fd });
  }

  #leave(): Found {
    if (this.#held.length === 1) throw this.#outside();
    const left = this.#held.pop();
    if (left !== undefined && left.fd >= 0) closeSync(left.fd);
    return { path: `${this.#here}/.`, stats: lstatSync(`${this.#here}/.`) };
  }

  #follow(path: string): string[] {
    if (++this.#links > MOST_LINKS)
      throw Object.assign(new Error("too many links"), { code: "ELOOP" });
    const target = readlinkSync(path);
    if (target.startsWith("/") || (process.platform === "win32" && dirname(target) !== "."))
      throw this.#outside();
    return target.split("/").filter((name) => name !== "");
  }

  #outside(): ConnectError {
    return new ConnectError(`${this.#guestPath} leads out of its mount`, Code.PermissionDenied);
  }

  [Symbol.dispose](): void {
    for (const { fd } of this.#held.splice(0)) if (fd >= 0) closeSync(fd);
  }
}
