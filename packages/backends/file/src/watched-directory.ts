import { constants, type FSWatcher, type Stats } from "node:fs";
import { basename, normalize } from "node:path";
import type { Disk } from "./mounts.ts";

const { O_DIRECTORY, O_NOFOLLOW, O_RDONLY } = constants;
/** How it fails to open a directory that is none any more. */
const GONE: ReadonlySet<unknown> = new Set(["ENOENT", "ENOTDIR", "ELOOP"]);

/** Who is told what happens in a directory, and says how many may be watched. */
export interface Watcher {
  /** @param isName whether a name came or went; else what it names was changed */
  happened(path: string, isName: boolean): void;
  /** Whether it has ears for one more event in this turn. */
  hear(): boolean;
  /** Something happened that was not heard. */
  missed(): void;
  /** The directory is perhaps gone: it is to be asked. */
  perhapsGone(): void;
  /** The file system tells nothing more. */
  failed(): void;
  /** @throws ConnectError RESOURCE_EXHAUSTED if no other directory may be watched */
  takeRoom(): void;
  giveRoom(): void;
  /** A directory that came later is not watched: there was no room, or it is not to be opened. */
  unwatched(): void;
}

/**
 * A directory that is watched, and those below it if they are to be. It is held by a descriptor, and so is each one below: names are looked up in what
 * is held, and a link that somebody puts in the place of a directory is not followed.
 *
 * ```text
 *  root fd 20 ── watch of /proc/self/fd/20/. ── "a", "sub"
 *    └─ sub fd 21 ── watch of /proc/self/fd/21/. ── "sub/b"
 * ```
 */
export class WatchedDirectory implements Disposable {
  readonly #disk: Disk;
  readonly #watcher: Watcher;
  /** What its names begin with, as the guest is told them: empty, or it ends in a slash. */
  readonly #prefix: string;
  readonly #fd: number;
  readonly #path: string;
  readonly #inode: number;
  readonly #below: Map<string, WatchedDirectory> | undefined;
  /** Names that came or went below, and were not looked at yet. */
  readonly #toFollow = new Set<string>();
  #watch: FSWatcher;
  #disposed = false;

  /**
   * @param at a name in a directory that is held
   * @throws ConnectError RESOURCE_EXHAUSTED; NodeJS.ErrnoException if it is no directory
   */
  constructor(
    disk: Disk,
    watcher: Watcher,
    at: { readonly path: string; readonly prefix: string; readonly recursive: boolean },
  ) {
    const { fs, pinned } = disk;
    this.#disk = disk;
    this.#watcher = watcher;
    this.#prefix = at.prefix;
    this.#below = at.recursive ? new Map() : undefined;
    watcher.takeRoom();
    let fd = -1;
    try {
      if (pinned) fd = fs.openSync(at.path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
      this.#fd = fd;
      this.#path = pinned ? `/proc/self/fd/${fd}` : at.path;
      this.#inode = fs.lstatSync(`${this.#path}/.`).ino;
      this.#watch = this.#listen();
    } catch (error) {
      if (fd >= 0) fs.closeSync(fd);
      watcher.giveRoom();
      throw error;
    }
  }

  #listen(): FSWatcher {
    const options = { encoding: "buffer", persistent: false } as const;
    const watch = this.#disk.fs.watch(`${this.#path}/.`, options, (event, name) => {
      if (name !== null) this.#heard(event === "rename", name);
    });
    return watch.on("error", () => this.#watcher.failed());
  }

  /**
   * Watches what is below it, too.
   *
   * @param isNew whether nobody was told yet of what is below
   * @throws ConnectError RESOURCE_EXHAUSTED if that is too much; then it may be disposed
   */
  watchBelow(isNew: boolean): void {
    if (this.#below === undefined) return;
    for (const entry of this.#disk.fs.readdirSync(`${this.#path}/.`, { withFileTypes: true })) {
      if (isNew) this.#watcher.happened(`${this.#prefix}${entry.name}`, true);
      if (entry.isDirectory()) this.#addIfThere(entry.name, isNew);
    }
  }

  /** What has gone since it was listed, or is a link by now, is not watched: its own directory tells of it. */
  #addIfThere(name: string, isNew: boolean): void {
    try {
      this.#add(name, isNew);
    } catch (error) {
      if (!GONE.has((error as NodeJS.ErrnoException).code)) throw error;
    }
  }

  /** What is there now; undefined if nothing is. */
  find(names: readonly string[]): Stats | undefined {
    this.#follow();
    return this.#find(names);
  }

  #find(names: readonly string[]): Stats | undefined {
    const [name = "", ...rest] = names;
    if (rest.length > 0) return this.#below?.get(name)?.find(rest);
    try {
      return this.#disk.fs.lstatSync(`${this.#path}/${name}`, { throwIfNoEntry: false });
    } catch {
      return undefined;
    }
  }

  /** Whether it was removed; or, where it is not held, is another one now. */
  get isGone(): boolean {
    try {
      const { ino, nlink } = this.#disk.fs.lstatSync(`${this.#path}/.`);
      return ino !== this.#inode || (this.#disk.pinned && nlink === 0);
    } catch {
      return true;
    }
  }

  // The system tells what happens while it is being told: who is slower than the one that makes it happen never comes to an end. So next to
  // nothing is done here, and above a number of events in one turn it is not listened to until the next.
  #heard(isName: boolean, name: Buffer): void {
    if (!this.#watcher.hear()) this.#pause();
    else if (this.#disk.pinned) this.#happened(isName, name);
    // Of what is in a directory that has gone elsewhere nothing can be found any more.
    else if (this.isGone) this.#watcher.perhapsGone();
    // In memory it is told before it is done.
    else queueMicrotask(() => this.#happened(isName, name));
  }

  #happened(isName: boolean, bytes: Buffer): void {
    if (this.#disposed) return;
    const name = bytes.toString();
    // What happens to the directory itself bears the name that it is watched by. A name that is no UTF-8 cannot be told.
    if (name === "." || !Buffer.from(name).equals(bytes)) return;
    // Where it is not held, that it goes is told with its own name.
    if (!this.#disk.pinned && this.isGone && name === basename(normalize(this.#path))) {
      this.#watcher.perhapsGone();
      return;
    }
    this.#watcher.happened(this.#prefix + name, isName);
    if (isName && this.#below !== undefined) this.#followSoon(name);
  }

  #pause(): void {
    this.#watch.close();
    this.#watcher.missed();
    setImmediate(() => {
      if (this.#disposed) return;
      try {
        this.#watch = this.#listen();
        if (this.#below === undefined) return;
        for (const name of this.#below.keys()) this.#followSoon(name);
        for (const entry of this.#disk.fs.readdirSync(`${this.#path}/.`, { withFileTypes: true }))
          if (entry.isDirectory()) this.#followSoon(entry.name);
      } catch {
        this.#watcher.failed();
      }
    });
  }

  #followSoon(name: string): void {
    if (this.#toFollow.size === 0) setImmediate(() => this.#follow());
    this.#toFollow.add(name);
  }

  #follow(): void {
    const names = [...this.#toFollow];
    this.#toFollow.clear();
    if (this.#disposed || this.#below === undefined) return;
    for (const name of names) this.#followOne(name, this.#below);
  }

  /** A name below came or went: if it is a directory, it is watched from now on, and no more if it was one. */
  #followOne(name: string, below: Map<string, WatchedDirectory>): void {
    const stats = this.#find([name]);
    const known = below.get(name);
    if (known !== undefined && stats?.isDirectory() && stats.ino === known.#inode) return;
    known?.[Symbol.dispose]();
    below.delete(name);
    if (!stats?.isDirectory()) return;
    try {
      this.#add(name, true);
    } catch {
      this.#watcher.unwatched();
    }
  }

  #add(name: string, isNew: boolean): void {
    const at = {
      path: `${this.#path}/${name}`,
      prefix: `${this.#prefix}${name}/`,
      recursive: true,
    };
    const directory = new WatchedDirectory(this.#disk, this.#watcher, at);
    this.#below?.set(name, directory);
    directory.watchBelow(isNew);
  }

  [Symbol.dispose](): void {
    this.#disposed = true;
    for (const directory of this.#below?.values() ?? []) directory[Symbol.dispose]();
    this.#watch.close();
    if (this.#fd >= 0) this.#disk.fs.closeSync(this.#fd);
    this.#watcher.giveRoom();
  }
}
