/**
 * The file backend: mounts that a guest cannot leave.
 *
 * @packageDocumentation
 */
import type { Writable } from "node:stream";
import type { HandlerContext } from "@connectrpc/connect";
import {
  type Backend,
  checkKeys,
  checkBounds,
  type Clock,
  defineBackend,
  systemClock,
} from "@dropthrough/dispatch";
import { DEFAULT_FILE_LIMITS, type FileLimits } from "./file-limits.ts";
import { Files } from "./files.ts";
import { FileService } from "./gen/dropthrough/file/v1/file_pb.ts";
import { HeldMemory } from "./held-memory.ts";
import { Mounts } from "./mounts.ts";

export * from "./gen/dropthrough/file/v1/file_pb.ts";
export { DEFAULT_FILE_LIMITS, type FileLimits } from "./file-limits.ts";

/** What can be said of every mount. */
export interface Granted {
  /** Names of the guests that have it; for the others it is not there. Default all. */
  readonly guests?: readonly string[];
}

/** A folder, or a single file, of the host. */
export interface DiskMount extends Granted {
  /** Where it is on the host; relative to the working directory. */
  readonly path: string;
  /** Whether guests may write. Default false. */
  readonly write?: boolean;
  /** Bytes that its files may have together: a number, or `"1 GiB"`. Default no limit. */
  readonly quota?: number | string;
  /** Files and directories that it may hold. Default no limit. */
  readonly entries?: number;
}

/** A folder in memory, empty at first and gone with the backend. Guests may write. */
export interface MemoryMount extends Granted {
  readonly memory: true;
  /** Bytes that its files may have together. Default 64 MiB. */
  readonly quota?: number | string;
  /** Files and directories that it may hold. Default 16,384. */
  readonly entries?: number;
}

/** Who opens a stream, as the host knows it: a guest cannot forge it. */
export interface StreamOwner {
  /** The name that the operator gave the guest. */
  readonly name: string;
  /** Which instance of it. */
  readonly instance: number;
  /** The call by which it writes, or closes, the stream now: it has its id and its parent (`callOf`). Undefined while it does neither. */
  readonly call: HandlerContext | undefined;
}

/** A stream of the host. */
export interface StreamMount extends Granted {
  /**
   * The stream, such as `process.stdout`, which all guests share and none closes; or what makes one for whoever opens it, which is
   * ended with its handle.
   */
  readonly stream: SharedStream | ((owner: StreamOwner) => Writable);
}

/** A stream that all guests share. */
export type SharedStream = Writable & { readonly isTTY?: boolean };

/** What guests see, and how much of it. */
export interface FileOptions {
  /** Guest paths to what is there: `{ "/data": { path: "./data" }, "/dev/stdout": { stream: process.stdout } }`. */
  readonly mounts: Readonly<Record<string, DiskMount | MemoryMount | StreamMount>>;
  readonly limits?: Partial<FileLimits>;
  /** The source of time for idle files. Default the host's. */
  readonly clock?: Clock;
}

const OPTIONS = Object.keys({
  mounts: true,
  limits: true,
  clock: true,
} satisfies Record<keyof FileOptions, true>);

/**
 * Makes the file backend. It holds the folders of its mounts until it is disposed.
 *
 * @throws TypeError if an option does not exist or is wrong, a mount is not absolute, its path does not exist on the host, or a quota is no number of bytes
 */
export function file(options: FileOptions): Backend<typeof FileService> {
  checkKeys(options, OPTIONS, "file: ");
  if ((options.mounts as unknown) === undefined)
    throw new TypeError('file: give it mounts, such as { "/data": { path: "./data" } }');
  const limits = checkBounds(DEFAULT_FILE_LIMITS, options.limits ?? {}, "file: limits: ");
  const mounts = new Mounts(options.mounts, new HeldMemory(limits.memoryBytes));
  const files = new Files(mounts, limits, options.clock ?? systemClock);
  return defineBackend({
    name: "file",
    service: FileService,
    borrows: true,
    impl: files,
    attach: ({ clock }) => void (files.clock = options.clock ?? clock),
    [Symbol.asyncDispose]: async () => mounts[Symbol.dispose](),
  });
}
