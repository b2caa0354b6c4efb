import fs from "node:fs";
import { Volume } from "memfs";

const FUNCTIONS = [
  "closeSync",
  "fchmodSync",
  "fstatSync",
  "fsync",
  "ftruncateSync",
  "linkSync",
  "lstatSync",
  "mkdirSync",
  "openSync",
  "readdirSync",
  "readlinkSync",
  "readSync",
  "renameSync",
  "rmdirSync",
  "statSync",
  "unlinkSync",
  "watch",
  "writeSync",
] as const;

/** What a disk is made of: Node's own functions, or the same ones in memory. */
export type FileSystem = Pick<typeof fs, (typeof FUNCTIONS)[number]>;

/**
 * The file system of the host. An object of its own: the engine finds a function in it at once, and looks for it among the hundred
 * of `fs`.
 */
export const hostFileSystem: FileSystem = Object.fromEntries(
  FUNCTIONS.map((name) => [name, fs[name]]),
) as unknown as FileSystem;

/** An empty file system in memory. */
export function memoryFileSystem(): FileSystem {
  const volume = new Volume();
  volume.mkdirSync("/", { recursive: true });
  return volume as unknown as FileSystem;
}
