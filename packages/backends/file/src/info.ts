import type { BigIntStats, Dirent, Stats } from "node:fs";
import { FileType } from "./gen/dropthrough/file/v1/file_pb.ts";

/** What is known of a file, as the contract has it. */
export interface Info {
  readonly type: FileType;
  readonly size: bigint;
  readonly modifiedNs: bigint;
  readonly terminal: boolean;
}

/** What the file system says of a file. */
export function infoOf(stats: BigIntStats): Info {
  return {
    type: typeOf(stats),
    size: stats.isFile() ? stats.size : 0n,
    modifiedNs: stats.mtimeNs,
    terminal: false,
  };
}

/** What kind of file it is. */
export function typeOf(
  entry: Pick<Dirent<Buffer> | BigIntStats | Stats, "isFile" | "isDirectory" | "isSymbolicLink">,
): FileType {
  if (entry.isFile()) return FileType.REGULAR;
  if (entry.isDirectory()) return FileType.DIRECTORY;
  return entry.isSymbolicLink() ? FileType.LINK : FileType.SPECIAL;
}
