import { constants } from "node:fs";
import { hostFileSystem as fs } from "./file-system.ts";
import type { Room } from "./quota.ts";

const { O_DIRECTORY, O_NOFOLLOW, O_RDONLY } = constants;
/** A path that is longer begins anew with a descriptor, where there are such: the system takes 4,096 bytes, and a guest can nest deeper. */
const LONG = 2048;
/** What cannot be read, no guest can write to either: it is not counted. */
const UNREADABLE: ReadonlySet<unknown> = new Set(["EACCES", "ENOENT", "ENOTDIR", "ENAMETOOLONG"]);

/** What is below a directory of the host, which is not counted itself; or what a file is. */
export function roomBelow(path: string, pinned: boolean): Room {
  const stats = fs.lstatSync(path);
  const sum = { bytes: stats.isFile() ? stats.size : 0, entries: 0 };
  const linked = new Set<number>();
  // Directories to look into; descriptors to close, once all that is below them has been seen.
  const todo: (string | number)[] = stats.isDirectory() ? [path] : [];
  for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
    if (typeof next === "number") {
      fs.closeSync(next);
      continue;
    }
    let folder = next;
    try {
      if (pinned && folder.length > LONG) {
        const fd = fs.openSync(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
        todo.push(fd);
        folder = `/proc/self/fd/${fd}`;
      }
      for (const name of fs.readdirSync(folder, { encoding: "buffer" })) {
        sum.entries++;
        const child = name.toString();
        // A name that is no UTF-8 cannot be named here, and its bytes are few: they are not counted.
        if (!Buffer.from(child).equals(name)) continue;
        const found = fs.lstatSync(`${folder}/${child}`, { throwIfNoEntry: false });
        if (found?.isDirectory()) todo.push(`${folder}/${child}`);
        if (found?.isFile() !== true) continue;
        // A file with several names counts once: its bytes are free with the last of them.
        if (found.nlink > 1 && linked.has(found.ino)) continue;
        if (found.nlink > 1) linked.add(found.ino);
        sum.bytes += found.size;
      }
    } catch (error) {
      if (!UNREADABLE.has((error as NodeJS.ErrnoException).code)) throw error;
    }
  }
  return sum;
}
