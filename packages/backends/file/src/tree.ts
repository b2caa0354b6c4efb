import { Code, ConnectError } from "@connectrpc/connect";
import { checkWritable, type DiskPath } from "./disk.ts";
import type { Disk } from "./mounts.ts";
import { type Counted, removeEmpty, removeTree } from "./removed-tree.ts";
import { failure, Walk } from "./walk.ts";

/** @throws ConnectError, NodeJS.ErrnoException */
export function makeDirectory(at: DiskPath, parents: boolean): void {
  checkWritable(at);
  const { mount, names, path } = at;
  using walk = new Walk(mount, path);
  if (parents) {
    const { stats } = walk.findOrMake(names, (entry) => makeOne(walk, mount, entry));
    if (stats?.isDirectory() !== true) throw failure("EEXIST");
    return;
  }
  const { path: entry, stats } = walk.entry(names);
  if (stats !== undefined) throw failure("EEXIST");
  makeOne(walk, mount, entry);
}

function makeOne({ quota }: Counted, { fs }: Disk, entry: string): void {
  quota.take(0, 1);
  try {
    fs.mkdirSync(entry);
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
    const kept = walk.keepHere({ path: entry, stats });
    waits = true;
    const { quota } = walk;
    return removeTree(mount, { path: kept.path, stats, quota }, signal).finally(() =>
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
  if (to.names.at(-1) === "." && !old.stats.isDirectory()) throw failure("ENOTDIR");
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
