import fs from "node:fs";
import { Volume } from "memfs";

/** What a disk is made of: Node's own `fs`, or one with the same functions in memory. */
export type FileSystem = Pick<
  typeof fs,
  | "closeSync"
  | "fchmodSync"
  | "fstatSync"
  | "fsync"
  | "ftruncateSync"
  | "linkSync"
  | "lstatSync"
  | "mkdirSync"
  | "openSync"
  | "readdirSync"
  | "readlinkSync"
  | "readSync"
  | "renameSync"
  | "rmdirSync"
  | "statSync"
  | "unlinkSync"
  | "watch"
  | "writeSync"
>;

/** The file system of the host. */
export const hostFileSystem: FileSystem = fs;

/** An empty file system in memory. */
export function memoryFileSystem(): FileSystem {
  const volume = new Volume();
  volume.mkdirSync("/", { recursive: true });
  return volume as unknown as FileSystem;
}
