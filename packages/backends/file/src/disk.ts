import {
  type BigIntStats,
  closeSync,
  constants,
  type Dirent,
  fstatSync,
  ftruncateSync,
  openSync,
  readdirSync,
  readSync,
  statSync,
  writeSync,
} from "node:fs";
import { Code, ConnectError } from "@connectrpc/connect";
import { FileType, type Entry, type OpenRequest } from "./gen/dropthrough/file/v1/file_pb.ts";
import type { OpenFile } from "./handles.ts";
import type { Mount } from "./mounts.ts";
import { Walk } from "./walk.ts";

type Disk = Extract<Mount, { kind: "disk" }>;

/** What is known of a file, as the contract has it. */
export interface Info {
  readonly type: FileType;
  readonly size: bigint;
  readonly modifiedNs: bigint;
  readonly terminal: boolean;
}

const { O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_RDWR, O_WRONLY } = constants;

/**
 * Opens a regular file of a disk. FIFOs, sockets and devices are refused, and O_NONBLOCK keeps their opening from waiting.
 *
 * @throws ConnectError, NodeJS.ErrnoException
 */
export function openFile(mount: Disk, names: readonly string[], request: OpenRequest): OpenFile {
  const { path, read, write, create, exclusive, truncate, append } = request;
  if (write && !mount.write)
    throw new ConnectError(`${path} is on a read-only mount`, Code.PermissionDenied);
  using walk = new Walk(mount.root, path);
  const found = walk.find(names);
  if (found.stats !== undefined && !found.stats.isFile()) throw notRegular(path);
  const access = read && write ? O_RDWR : write ? O_WRONLY : O_RDONLY;
  const flags =
    access |
    (create ? O_CREAT : 0) |
    (exclusive ? O_EXCL : 0) |
    (append ? O_APPEND : 0) |
    O_NOFOLLOW |
    O_NONBLOCK;
  const fd = openSync(found.path, flags, 0o666);
  try {
    const stats = fstatSync(fd, { bigint: true });
    if (!stats.isFile()) throw notRegular(path);
    // Not by O_TRUNC: only now is it known that what was opened is a file of the mount.
    if (truncate) ftruncateSync(fd, 0);
    return new DiskFile(fd, path, infoOf(stats), request);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function notRegular(path: string): ConnectError {
  return new ConnectError(
    `${path} is no regular file: it cannot be opened`,
    Code.FailedPrecondition,
  );
}

class DiskFile implements OpenFile {
  readonly path: string;
  readonly info: Info;
  readonly #fd: number;
  readonly #mode: OpenRequest;
  #readAt = 0;
  #writeAt = 0;

  constructor(fd: number, path: string, info: Info, mode: OpenRequest) {
    this.#fd = fd;
    this.path = path;
    this.info = info;
    this.#mode = mode;
  }

  read(most: number): Uint8Array {
    if (!this.#mode.read)
      throw new ConnectError(`${this.path} was not opened to read`, Code.FailedPrecondition);
    const left = Number(fstatSync(this.#fd, { bigint: true }).size) - this.#readAt;
    const buffer = new Uint8Array(Math.max(0, Math.min(most, left)));
    const length = readSync(this.#fd, buffer, 0, buffer.length, this.#readAt);
    this.#readAt += length;
    return buffer.subarray(0, length);
  }

  write(data: Uint8Array): undefined {
    if (!this.#mode.write)
      throw new ConnectError(`${this.path} was not opened to write`, Code.FailedPrecondition);
    for (let done = 0; done < data.length;) {
      const at = this.#mode.append ? null : this.#writeAt;
      const length = writeSync(this.#fd, data, done, data.length - done, at);
      done += length;
      this.#writeAt += length;
    }
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }
}

/** @throws ConnectError, NodeJS.ErrnoException */
export function statPath(mount: Disk, names: readonly string[], path: string): Info {
  using walk = new Walk(mount.root, path);
  const found = walk.find(names);
  if (found.stats === undefined) throw Object.assign(new Error("not found"), { code: "ENOENT" });
  return infoOf(statSync(found.path, { bigint: true }));
}

/** @throws ConnectError, NodeJS.ErrnoException */
export function listDirectory(
  mount: Disk,
  names: readonly string[],
  path: string,
  cursor: Uint8Array,
  limit: number,
): { entries: Pick<Entry, "name" | "type">[]; cursor: Uint8Array; unnamable: number } {
  using walk = new Walk(mount.root, path);
  const found = walk.find(names);
  if (found.stats === undefined) throw Object.assign(new Error("not found"), { code: "ENOENT" });
  if (!found.stats.isDirectory())
    throw new ConnectError(`${path} is no directory`, Code.FailedPrecondition);
  const all = readdirSync(found.path, { withFileTypes: true, encoding: "buffer" });
  const named = all.filter((entry) => Buffer.from(entry.name.toString()).equals(entry.name));
  const rest = named
    .toSorted((a, b) => Buffer.compare(a.name, b.name))
    .filter((entry) => cursor.length === 0 || Buffer.compare(entry.name, cursor) > 0);
  const page = rest.slice(0, limit);
  const last = rest.length > limit ? page.at(-1) : undefined;
  return {
    entries: page.map((entry) => ({ name: entry.name.toString(), type: typeOf(entry) })),
    cursor: last === undefined ? new Uint8Array() : new Uint8Array(last.name),
    unnamable: last === undefined ? all.length - named.length : 0,
  };
}

function infoOf(stats: BigIntStats): Info {
  return {
    type: typeOf(stats),
    size: stats.isFile() ? stats.size : 0n,
    modifiedNs: stats.mtimeNs,
    terminal: false,
  };
}

function typeOf(
  entry: Pick<Dirent<Buffer> | BigIntStats, "isFile" | "isDirectory" | "isSymbolicLink">,
): FileType {
  if (entry.isFile()) return FileType.REGULAR;
  if (entry.isDirectory()) return FileType.DIRECTORY;
  return entry.isSymbolicLink() ? FileType.LINK : FileType.SPECIAL;
}
