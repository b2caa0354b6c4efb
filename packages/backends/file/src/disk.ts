import { type BigIntStats, constants } from "node:fs";
import { Code, ConnectError } from "@connectrpc/connect";
import { DiskFile } from "./disk-file.ts";
import type { OpenRequest } from "./gen/dropthrough/file/v1/file_pb.ts";
import { type Info, infoOf } from "./info.ts";
import type { Disk, Place } from "./mounts.ts";
import { finish, readEach } from "./names-of.ts";
import type { Listed, Page } from "./page.ts";
import { failure, type Found, Walk } from "./walk.ts";

const { O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_RDWR, O_WRONLY } = constants;

/** A path on a disk: where it is, and what the guest calls it. */
export interface DiskPath extends Place {
  readonly mount: Disk;
  readonly path: string;
  /** The name of the guest. */
  readonly guest: string;
}

/** How a file is opened. */
export type OpenMode = Pick<
  OpenRequest,
  "read" | "write" | "create" | "exclusive" | "truncate" | "append"
>;

/**
 * Opens a regular file of a disk. FIFOs, sockets and devices are refused, and O_NONBLOCK keeps their opening from waiting.
 *
 * @throws ConnectError, NodeJS.ErrnoException
 */
export function openFile(at: DiskPath, mode: OpenMode): DiskFile {
  const { mount, names, path } = at;
  const { read, write, create, exclusive, truncate, append } = mode;
  if (write) checkWritable({ mount, path });
  const { fs } = mount;
  using walk = new Walk(mount, path);
  const found = walk.find(names);
  if (found.stats !== undefined && !found.stats.isFile()) throw notRegular(path);
  const access = read && write ? O_RDWR : write ? O_WRONLY : O_RDONLY;
  const flags =
    access |
    (create ? O_CREAT : 0) |
    (exclusive ? O_EXCL : 0) |
    (append ? O_APPEND : 0) |
    O_NOFOLLOW |
    O_NONBLOCK;
  const made = create && found.stats === undefined ? 1 : 0;
  const { quota } = walk;
  quota.take(0, made);
  let fd;
  try {
    fd = fs.openSync(found.path, flags, 0o666);
  } catch (error) {
    quota.give(0, made);
    throw error;
  }
  let file;
  try {
    const stats = fs.fstatSync(fd, { bigint: true });
    if (!stats.isFile()) throw notRegular(path);
    if (!mount.pinned) checkSame(stats, found, path);
    file = new DiskFile(at, quota, fd, stats, mode);
    // Not by O_TRUNC: only now is it known that what was opened is a file of the mount.
    if (truncate) file.truncate(0);
    return file;
  } catch (error) {
    if (file === undefined) fs.closeSync(fd);
    else file[Symbol.dispose]();
    throw error;
  }
}

/** Where directories are not held, another file may have been put in the place of the one that was found. */
function checkSame(opened: BigIntStats, { stats }: Found, path: string): void {
  if (stats === undefined) return;
  if (Number(opened.ino) === stats.ino && Number(opened.dev) === stats.dev) return;
  throw new ConnectError(`${path} was replaced while it was opened`, Code.PermissionDenied);
}

/** @throws ConnectError PERMISSION_DENIED if the mount is read-only */
export function checkWritable({ mount, path }: Pick<DiskPath, "mount" | "path">): void {
  if (!mount.write)
    throw new ConnectError(`${path} is on a read-only mount`, Code.PermissionDenied);
}

/** What cannot be opened. */
export function notRegular(path: string): ConnectError {
  return new ConnectError(
    `${path} is no regular file: it cannot be opened`,
    Code.FailedPrecondition,
  );
}

/** @throws ConnectError, NodeJS.ErrnoException */
export function statPath({ mount, names, path }: DiskPath): Info {
  using walk = new Walk(mount, path);
  const found = walk.find(names);
  if (found.stats === undefined) throw failure("ENOENT");
  // Not stat: a link may have been put in its place, and would be followed to wherever it leads.
  return infoOf(mount.fs.lstatSync(found.path, { bigint: true }));
}

/**
 * Lists a directory; a large one in pieces, so that others get their turn.
 *
 * @throws ConnectError, NodeJS.ErrnoException
 */
export function listDirectory(
  { mount, names, path }: DiskPath,
  page: Page,
  signal: AbortSignal,
): Listed | Promise<Listed> {
  const walk = new Walk(mount, path);
  let waits = false;
  try {
    const found = walk.find(names);
    if (found.stats === undefined) throw failure("ENOENT");
    if (!found.stats.isDirectory())
      throw new ConnectError(`${path} is no directory`, Code.FailedPrecondition);
    const reading = readEach(mount.fs, found.path, (entry) => page.add(entry));
    if (reading.next().done === true) return page.answer;
    walk.keepHere(found);
    waits = true;
    return finish(reading, signal)
      .finally(() => walk[Symbol.dispose]())
      .then(() => page.answer);
  } finally {
    if (!waits) walk[Symbol.dispose]();
  }
}
