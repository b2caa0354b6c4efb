import { randomBytes } from "node:crypto";
import { constants, type Stats } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { Code, ConnectError } from "@connectrpc/connect";
import { checkWritable, type DiskPath, openFile } from "./disk.ts";
import { sync } from "./disk-file.ts";
import type { WriteFileRequest } from "./gen/dropthrough/file/v1/file_pb.ts";
import { failure, Walk } from "./walk.ts";

const { O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_RDONLY, O_WRONLY } = constants;
/** What one answer can hold, with room for what is around it. */
const MOST_WHOLE = 3 * 1024 * 1024;
const CHUNK = 256 * 1024;
const READ_ONLY = {
  read: true,
  write: false,
  create: false,
  exclusive: false,
  truncate: false,
  append: false,
};
const REPLACE = {
  read: false,
  write: true,
  create: true,
  exclusive: false,
  truncate: true,
  append: false,
};

/** @throws ConnectError, NodeJS.ErrnoException */
export function readFile(at: DiskPath): Uint8Array {
  using file = openFile(at, READ_ONLY);
  if (file.info.size > MOST_WHOLE) {
    throw new ConnectError(
      `${at.path} has ${file.info.size} bytes, above ${MOST_WHOLE}: open it, and read it in pieces`,
      Code.ResourceExhausted,
    );
  }
  // Read here and now: the file is closed when this returns.
  return file.copyAt(0, MOST_WHOLE);
}

/**
 * Writes a file under another name beside it, and renames that: whoever looks sees all of the old or all of the new.
 *
 * ```text
 *  .3f9a….tmp ── write ── fsync ── rename ─▶ name ── fsync of the directory ─▶ OK
 * ```
 *
 * @throws ConnectError, NodeJS.ErrnoException
 */
export function writeFile(
  at: DiskPath,
  request: Pick<WriteFileRequest, "data" | "sync" | "exclusive">,
): void | Promise<void> {
  checkWritable(at);
  const { mount, names, path, guest } = at;
  const { fs } = mount;
  const walk = new Walk(mount, path);
  let waits = false;
  try {
    const looked = walk.entry(names);
    const { path: entry, stats } = request.sync ? walk.keepHere(looked) : looked;
    const { quota } = walk;
    if (names.at(-1) === "." && stats === undefined) throw failure("EISDIR");
    if (stats?.isDirectory()) throw failure("EISDIR");
    if (request.exclusive && stats !== undefined) throw failure("EEXIST");
    const { data } = request;
    const temporary = `${walk.here}/.${randomBytes(9).toString("hex")}.tmp`;
    let entries = stats === undefined ? 1 : 0;
    quota.take(0, entries);
    let fd;
    try {
      fd = fs.openSync(temporary, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW, 0o666);
    } catch (error) {
      quota.give(0, entries);
      throw error;
    }
    const inode = fs.fstatSync(fd).ino;
    const count = quota.opened(inode);
    let isOpen = true;
    const close = (): void => {
      if (!isOpen) return;
      isOpen = false;
      quota.closed(count, () => fs.fstatSync(fd).size);
      fs.closeSync(fd);
    };
    // Guests see its name. One that removes it while this one waits for the disk has given back what it counted for.
    const written = (): Stats | undefined => {
      const found = fs.lstatSync(temporary, { throwIfNoEntry: false });
      return found?.ino === inode ? found : undefined;
    };
    const undo = (): void => {
      const found = written();
      if (found !== undefined) {
        fs.unlinkSync(temporary);
        quota.removed(found);
      }
      // Who removes a name gives an entry back, which this one took only for a name that is new.
      quota.give(0, entries - 1);
      close();
    };
    const fill = (): void => {
      quota.grow(inode, guest, data.length);
      let done = 0;
      try {
        if (stats?.isFile()) fs.fchmodSync(fd, stats.mode & 0o777);
        while (done < data.length) done += fs.writeSync(fd, data, done, data.length - done, done);
      } finally {
        quota.shrink(inode, data.length - done);
      }
    };
    const publish = (): void => {
      if (written() === undefined) throw failure("ENOENT");
      close();
      // Looked at again: others may have written or removed that name while this one waited for the disk.
      const old = request.exclusive ? undefined : fs.lstatSync(entry, { throwIfNoEntry: false });
      if (old === undefined && entries === 0) {
        quota.take(0, 1);
        entries = 1;
      }
      // A link fails if somebody made that name meanwhile; a rename would replace it.
      if (request.exclusive) {
        fs.linkSync(temporary, entry);
        fs.unlinkSync(temporary);
      } else fs.renameSync(temporary, entry);
      if (old === undefined) return;
      quota.removed(old);
      quota.give(0, entries - 1);
    };
    try {
      fill();
      if (!request.sync) {
        publish();
        return undefined;
      }
    } catch (error) {
      undo();
      throw error;
    }
    waits = true;
    return durable(at, { fd, walk, publish, undo });
  } finally {
    if (!waits) walk[Symbol.dispose]();
  }
}

/** A file that was written under another name. */
interface Written {
  readonly fd: number;
  readonly walk: Walk;
  /** Closes it, and gives it its name. */
  readonly publish: () => void;
  /** Closes and removes it. */
  readonly undo: () => void;
}

/** The rest of a write that is to survive a crash: content, then name. */
async function durable({ mount }: DiskPath, { fd, walk, publish, undo }: Written): Promise<void> {
  const { fs } = mount;
  using _ = walk;
  try {
    await sync(mount, fd);
    publish();
  } catch (error) {
    undo();
    throw error;
  }
  const directory = fs.openSync(`${walk.here}/.`, O_RDONLY | O_DIRECTORY);
  try {
    await sync(mount, directory);
  } finally {
    fs.closeSync(directory);
  }
}

/** Copies a regular file, in pieces, so that others get their turn. Answers its size in bytes. */
export async function copyFile(from: DiskPath, to: DiskPath, signal: AbortSignal): Promise<number> {
  using source = openFile(from, READ_ONLY);
  // Opened without truncating first: a file copied onto itself would be gone.
  using target = openFile(to, { ...REPLACE, truncate: false });
  if (source.isSame(target)) return Number(source.info.size);
  target.truncate(0);
  let size = 0;
  for (;;) {
    const piece = source.copyAt(size, CHUNK);
    if (piece.length === 0) return size;
    target.writeAt(size, piece);
    size += piece.length;
    await setImmediate();
    signal.throwIfAborted();
  }
}
