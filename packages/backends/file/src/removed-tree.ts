import { isUtf8 } from "node:buffer";
import { randomBytes } from "node:crypto";
import { constants, type Stats } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { namesOf } from "./names-of.ts";
import type { Disk } from "./mounts.ts";
import type { Quota } from "./quota.ts";

const { O_DIRECTORY, O_NOFOLLOW, O_RDONLY } = constants;
/** So many names are removed before others get their turn. */
const NAMES_AT_ONCE = 200;
/** Directories that are held at once. What lies deeper is moved up first. */
const MOST_DEPTH = 32;

/** Where something counts. */
export type Counted = { readonly quota: Quota };

/** A directory to be removed. */
interface Directory extends Counted {
  readonly path: string | Buffer;
  readonly stats: Stats;
}

interface Progress {
  readonly signal: AbortSignal;
  count: number;
  /** Where directories are moved that lie too deep. */
  top: string;
  readonly moved: Directory[];
}

/** @throws NodeJS.ErrnoException */
export function removeEmpty({ quota }: Counted, { fs }: Disk, entry: string | Buffer): void {
  fs.rmdirSync(entry);
  quota.give(0, 1);
}

/**
 * Removes a directory with all that it holds. It is held by a descriptor while its names are removed, so a directory that somebody
 * puts a link in the place of is not followed.
 *
 * @throws NodeJS.ErrnoException; whatever the signal was given up for
 */
export async function removeTree(
  disk: Disk,
  directory: Directory,
  signal: AbortSignal,
): Promise<void> {
  await removeBelow(disk, directory, { count: 0, signal, top: "", moved: [] }, 0);
}

async function removeBelow(
  disk: Disk,
  directory: Directory,
  progress: Progress,
  depth: number,
): Promise<void> {
  const { fs, pinned, quotas } = disk;
  const { path: entry, stats } = directory;
  const quota = quotas?.at(stats) ?? directory.quota;
  const fd = pinned ? fs.openSync(entry, O_RDONLY | O_DIRECTORY | O_NOFOLLOW) : -1;
  const base = pinned ? `/proc/self/fd/${fd}` : String(entry);
  if (depth === 0) progress.top = base;
  try {
    const listed = namesOf(fs, base, progress.signal);
    for (const name of listed instanceof Promise ? await listed : listed) {
      if (++progress.count % NAMES_AT_ONCE === 0) await setImmediate();
      progress.signal.throwIfAborted();
      const path = pathOf(base, name);
      const child = fs.lstatSync(path, { throwIfNoEntry: false });
      if (child === undefined) continue;
      if (!child.isDirectory()) {
        fs.unlinkSync(path);
        quota.removed(child);
      } else if (depth < MOST_DEPTH)
        await removeBelow(disk, { path, stats: child, quota }, progress, depth + 1);
      else {
        const up = `${progress.top}/.${randomBytes(9).toString("hex")}.tmp`;
        fs.renameSync(path, up);
        progress.moved.push({ path: up, stats: child, quota });
      }
    }
    if (depth === 0)
      for (let moved = progress.moved.pop(); moved !== undefined; moved = progress.moved.pop())
        await removeBelow(disk, moved, progress, 1);
  } finally {
    if (fd >= 0) fs.closeSync(fd);
  }
  removeEmpty(directory, disk, entry);
}

/** A name that is no UTF-8 is reached as bytes. */
function pathOf(base: string, name: Buffer): string | Buffer {
  return isUtf8(name)
    ? `${base}/${name.toString()}`
    : Buffer.concat([Buffer.from(`${base}/`), name]);
}
