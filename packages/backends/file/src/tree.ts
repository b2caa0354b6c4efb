import { constants, type Stats } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { Code, ConnectError } from "@connectrpc/connect";
import { checkWritable, type DiskPath } from "./disk.ts";
import type { Disk } from "./mounts.ts";
import type { Quota } from "./quota.ts";
import { failure, Walk } from "./walk.ts";

const { O_DIRECTORY, O_NOFOLLOW, O_RDONLY } = constants;
/** So many names are removed before others get their turn. */
const NAMES_AT_ONCE = 200;
const MOST_DEPTH = 256;

/** Where something counts. */
type Counted = { readonly quota: Quota };

/** @throws ConnectError, NodeJS.ErrnoException */
export function makeDirectory(at: DiskPath, parents: boolean): void {
  checkWritable(at);
  if (!parents) {
    makeOne(at, at.names);
    return;
  }
  for (let depth = 1; depth <= at.names.length; depth++) {
    const names = at.names.slice(0, depth);
    using walk = new Walk(at.mount, at.path);
    const { stats } = walk.find(names);
    if (stats === undefined) makeOne(at, names);
    else if (!stats.isDirectory()) throw failure(depth === at.names.length ? "EEXIST" : "ENOTDIR");
  }
}

function makeOne({ mount, path }: DiskPath, names: readonly string[]): void {
  using walk = new Walk(mount, path);
  const { path: entry, stats } = walk.entry(names);
  if (stats !== undefined) throw failure("EEXIST");
  const { quota } = walk;
  quota.take(0, 1);
  try {
    mount.fs.mkdirSync(entry);
  } catch (error) {
    quota.give(0, 1);
    throw error;
  }
}

/**
 * Removes a name; a link, not what it leads to. A directory that holds something is removed only if `recursive`.
 *
 * @throws ConnectError, NodeJS.ErrnoException
 */
export function remove(
  at: DiskPath,
  recursive: boolean,
  signal: AbortSignal,
): void | Promise<void> {
  checkWritable(at);
  const { mount, names, path } = at;
  const walk = new Walk(mount, path);
  let waits = false;
  try {
    const { path: entry, stats } = walk.entry(names);
    if (stats === undefined) throw failure("ENOENT");
    if (!stats.isDirectory()) return removeName(walk, mount, entry);
    if (!recursive) return removeEmpty(walk, mount, entry);
    waits = true;
    const { quota } = walk;
    return removeTree(mount, { path: entry, stats, quota }, { count: 0, signal }, 0).finally(() =>
      walk[Symbol.dispose](),
    );
  } finally {
    if (!waits) walk[Symbol.dispose]();
  }
}

function removeName({ quota }: Counted, { fs }: Disk, entry: string): void {
  const stats = fs.lstatSync(entry);
  fs.unlinkSync(entry);
  quota.removed(stats);
}

function removeEmpty({ quota }: Counted, { fs }: Disk, entry: string): void {
  fs.rmdirSync(entry);
  quota.give(0, 1);
}

/**
 * Removes a directory with all that it holds. It is held by a descriptor while its names are removed, so a directory that somebody
 * puts a link in the place of is not followed.
 */
async function removeTree(
  disk: Disk,
  directory: Counted & { readonly path: string; readonly stats: Stats },
  progress: { count: number; readonly signal: AbortSignal },
  depth: number,
): Promise<void> {
  if (depth > MOST_DEPTH)
    throw new ConnectError(
      `directories are nested more than ${MOST_DEPTH} deep`,
      Code.FailedPrecondition,
    );
  const { fs, pinned, quotas } = disk;
  const entry = directory.path;
  const quota = quotas?.at(directory.stats) ?? directory.quota;
  const fd = pinned ? fs.openSync(entry, O_RDONLY | O_DIRECTORY | O_NOFOLLOW) : -1;
  const base = pinned ? `/proc/self/fd/${fd}` : entry;
  try {
    for (const name of fs.readdirSync(base, { encoding: "buffer" })) {
      if (++progress.count % NAMES_AT_ONCE === 0) await setImmediate();
      progress.signal.throwIfAborted();
      const child = `${base}/${name.toString("latin1")}`;
      // Names that are no UTF-8 are reached as bytes.
      const path = Buffer.from(name.toString()).equals(name)
        ? `${base}/${name.toString()}`
        : Buffer.from(child, "latin1");
      const stats = fs.lstatSync(path, { throwIfNoEntry: false });
      if (stats === undefined) continue;
      if (stats.isDirectory() && typeof path === "string")
        await removeTree(disk, { path, stats, quota }, progress, depth + 1);
      else if (stats.isDirectory())
        throw new ConnectError(
          "a directory whose name is no UTF-8 cannot be removed",
          Code.FailedPrecondition,
        );
      else {
        fs.unlinkSync(path);
        quota.removed(stats);
      }
    }
  } finally {
    if (fd >= 0) fs.closeSync(fd);
  }
  removeEmpty(directory, disk, entry);
}

/** @throws ConnectError, NodeJS.ErrnoException */
export function rename(from: DiskPath, to: DiskPath): void {
  checkWritable(from);
  checkWritable(to);
  if (from.mount !== to.mount) {
    throw new ConnectError(
      `${from.path} and ${to.path} are on two mounts: copy it, and remove the old one`,
      Code.FailedPrecondition,
    );
  }
  const { fs } = from.mount;
  using source = new Walk(from.mount, from.path);
  using target = new Walk(to.mount, to.path);
  const old = source.entry(from.names);
  if (old.stats === undefined) throw failure("ENOENT");
  const replaced = target.entry(to.names);
  if (replaced.stats !== undefined && replaced.stats.isDirectory() !== old.stats.isDirectory()) {
    throw failure(replaced.stats.isDirectory() ? "EISDIR" : "ENOTDIR");
  }
  if (source.quota !== target.quota) {
    throw new ConnectError(
      `${from.path} and ${to.path} count in two quotas: copy it, and remove the old one`,
      Code.FailedPrecondition,
    );
  }
  const { stats } = replaced;
  // An operating system says so by itself; a mount in memory would lose what they hold.
  if (replaced.path.startsWith(`${old.path}/`)) throw failure("EINVAL");
  if (stats?.isDirectory() && stats.ino !== old.stats.ino && !from.mount.pinned) {
    if (fs.readdirSync(replaced.path).length > 0) throw failure("ENOTEMPTY");
  }
  fs.renameSync(old.path, replaced.path);
  if (stats !== undefined && stats.ino !== old.stats.ino) target.quota.removed(stats);
}
