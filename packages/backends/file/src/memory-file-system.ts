import { Volume } from "memfs";
import type { FileSystem } from "./file-system.ts";

/**
 * An empty file system in memory. What `memfs` keeps for ever is let go here: the file that another takes the name of, and the room of one
 * that was made shorter.
 */
export function memoryFileSystem(): FileSystem {
  const volume = new Volume();
  volume.mkdirSync("/", { recursive: true });
  const fs = volume as unknown as FileSystem;
  /** How long files have been that are shorter now, by inode. */
  const reached = new Map<number, number>();
  return Object.assign(Object.create(volume) as FileSystem, {
    renameSync(from: string, to: string): void {
      const old = fs.lstatSync(to, { throwIfNoEntry: false });
      // It leaves the old one in its list of all files, and in the count of what is in the directory.
      if (old !== undefined && old.ino !== fs.lstatSync(from).ino)
        if (old.isDirectory()) fs.rmdirSync(to);
        else fs.unlinkSync(to);
      fs.renameSync(from, to);
    },
    /** In a turn of its own, as on a disk. */
    fsync: (_: number, done: (error: null) => void) => void setImmediate(done, null),
    ftruncateSync(fd: number, length = 0): void {
      const { ino, size } = fs.fstatSync(fd);
      const most = Math.max(size, reached.get(ino) ?? 0);
      reached.delete(ino);
      if (length >= size || length * 2 > most) {
        if (length < size) reached.set(ino, most);
        return fs.ftruncateSync(fd, length);
      }
      // It keeps what it has allocated, unless nothing is left.
      const kept = Buffer.allocUnsafe(length);
      fs.readSync(fd, kept, 0, length, 0);
      fs.ftruncateSync(fd, 0);
      for (let done = 0; done < length;) done += fs.writeSync(fd, kept, done, length - done, done);
    },
  });
}
