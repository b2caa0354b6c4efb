import fs from "node:fs";

const FUNCTIONS = [
  "closeSync",
  "fchmodSync",
  "fstatSync",
  "fsync",
  "ftruncateSync",
  "linkSync",
  "lstatSync",
  "mkdirSync",
  "opendirSync",
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
