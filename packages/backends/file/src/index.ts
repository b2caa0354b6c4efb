/**
 * The file backend: mounts that a guest cannot leave.
 *
 * @packageDocumentation
 */
import type { Writable } from "node:stream";
import { type Backend, defineBackend } from "@dropthrough/dispatch";
import { Files } from "./files.ts";
import { FileService } from "./gen/dropthrough/file/v1/file_pb.ts";
import { Mounts } from "./mounts.ts";

export * from "./gen/dropthrough/file/v1/file_pb.ts";

/** A folder, or a single file, of the host. */
export interface DiskMount {
  /** Where it is on the host; relative to the working directory. */
  readonly path: string;
  /** Whether guests may write. Default false. */
  readonly write?: boolean;
  /** Bytes that its files may have together: a number, or `"1 GiB"`. Default no limit. */
  readonly quota?: number | string;
}

/** A folder in memory, empty at first and gone with the backend. Guests may write. */
export interface MemoryMount {
  readonly memory: true;
  /** Bytes that its files may have together. Default 64 MiB. */
  readonly quota?: number | string;
}

/** A stream of the host, such as `process.stdout`. */
export interface StreamMount {
  readonly stream: Writable & { readonly isTTY?: boolean };
}

/** What guests see, and how much of it. */
export interface FileOptions {
  /** Guest paths to what is there: `{ "/data": { path: "./data" }, "/dev/stdout": { stream: process.stdout } }`. */
  readonly mounts: Readonly<Record<string, DiskMount | MemoryMount | StreamMount>>;
  /** Files that one guest instance may have open. Default 256. */
  readonly handles?: number;
}

/**
 * Makes the file backend.
 *
 * @throws TypeError if a mount is not absolute, or its path does not exist on the host
 */
export function file(options: FileOptions): Backend<typeof FileService> {
  return defineBackend({
    name: "file",
    service: FileService,
    borrows: true,
    impl: new Files(new Mounts(options.mounts), options.handles ?? 256),
  });
}
