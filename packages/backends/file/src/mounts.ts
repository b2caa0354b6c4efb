import { closeSync, constants, existsSync, openSync, realpathSync, statSync } from "node:fs";
import { basename, dirname } from "node:path";
import { Code, ConnectError } from "@connectrpc/connect";
import { checkKeys } from "@dropthrough/dispatch";
import { type FileSystem, hostFileSystem } from "./file-system.ts";
import { type HeldMemory, Holders } from "./held-memory.ts";
import type { DiskMount, MemoryMount, StreamMount } from "./index.ts";
import { FolderQuotas } from "./folder-quotas.ts";
import { memoryFileSystem } from "./memory-file-system.ts";
import { parseBytes, Quota, type Room } from "./quota.ts";
import { ReadAhead } from "./read-ahead.ts";
import { windowsRefuses } from "./windows-name.ts";

/** Bytes of a path, and of one name in it; in memory as on a disk. */
const MOST_BYTES = 4096;
const MOST_NAME_BYTES = 255;
/** Names in a path: each costs a call of the system, and a descriptor for as long as a walk takes; in memory, as much as all before it. */
export const MOST_NAMES = 256;
/** What a memory mount may hold that says nothing else. */
const MEMORY_BYTES = 64 * 1024 * 1024;
const MEMORY_ENTRIES = 16_384;

/** A path of a guest: which mount it begins with, and the names below that. */
export interface Place {
  readonly mount: Mount;
  /** The names below the mount, unresolved: `..` and links are for the walk. */
  readonly names: readonly string[];
}

/** One mount. */
export type Mount = Disk | ({ readonly kind: "stream" } & StreamMount);

/** A mount with files: a folder of the host, or one in memory. */
export interface Disk {
  readonly kind: "disk";
  readonly fs: FileSystem;
  /** The folder that it begins with; where it is pinned, below `/proc/self/fd`. */
  readonly root: string;
  /** The name of the one file that is mounted, in the folder; undefined where the folder itself is. */
  readonly file: string | undefined;
  readonly write: boolean;
  /** Whether directories are held by descriptors: a path is only right for as long as nobody renames what is on it. */
  readonly pinned: boolean;
  /** What counts in the root. */
  readonly quota: Quota;
  /** What counts in folders below it that are mounted too. */
  readonly quotas: FolderQuotas | undefined;
  /** One for all mounts. */
  readonly ahead: ReadAhead;
}

/** Where a mount is, and who has it: undefined for everybody. */
interface Entry {
  readonly names: readonly string[];
  readonly mount: Mount;
  readonly guests: readonly string[] | undefined;
}

/** Whatever can be mounted. */
type MountInit = DiskMount | MemoryMount | StreamMount;

/** What the operator has mounted where. Dispose it to let go of the folders. */
export class Mounts implements Disposable {
  /** What guests hold of it, in all mounts. */
  readonly memory: HeldMemory;
  readonly #mounts: Entry[] = [];
  readonly #windows: boolean;
  readonly #held: number[] = [];
  readonly #ahead = new ReadAhead();

  /** @throws TypeError if a mount is not absolute, or its path does not exist */
  constructor(
    mounts: Readonly<Record<string, MountInit>>,
    memory: HeldMemory,
    platform: string = process.platform,
  ) {
    this.memory = memory;
    this.#windows = platform === "win32";
    const disks: DiskInit[] = [];
    const seen: { readonly names: string; readonly init: MountInit }[] = [];
    for (const [at, init] of Object.entries(mounts)) {
      if (!at.startsWith("/") || at.split("/").some((name) => name === "." || name === "..")) {
        throw new TypeError(`the mount "${at}" must be an absolute path without . and ..`);
      }
      checkMount(at, init);
      const names = split(at).join("/");
      if (seen.some((other) => other.names === names && share(other.init, init)))
        throw new TypeError(`the mount "${at}" is there twice for the same guest`);
      seen.push({ names, init });
      if ("path" in init) {
        const most = mostOf(init, Infinity, Infinity);
        const { path, write = false, guests } = init;
        disks.push({ at, path: realpath(at, path), write, most, guests });
      } else {
        const mount = mountOf(init, memory, this.#ahead);
        this.#mounts.push({ names: split(at), mount, guests: init.guests });
      }
    }
    this.#mountDisks(disks);
    // The longest comes first: /data/tmp before /data.
    this.#mounts.sort((a, b) => b.names.length - a.names.length);
  }

  #mountDisks(inits: readonly DiskInit[]): void {
    const disks = inits.map((init) => ({ ...init, place: placeOf(init.path, this.#held) }));
    const quotas = new FolderQuotas(
      disks.map(({ path, place, most }) => ({
        path,
        held: startOf(place),
        pinned: place.pinned,
        most,
      })),
    );
    for (const { at, path, place, write, guests } of disks) {
      const disk = { kind: "disk", fs: hostFileSystem, ...place, write } as const;
      const mount = { ...disk, quota: quotas.of(path), quotas, ahead: this.#ahead };
      this.#mounts.push({ names: split(at), mount, guests });
    }
  }

  /**
   * Finds the mount of a path of a guest.
   *
   * @throws ConnectError INVALID_ARGUMENT if it is no absolute path; NOT_FOUND if it is below no mount; FAILED_PRECONDITION if it is
   *   below a stream
   */
  find(path: string, guest: string): Place {
    if (!path.startsWith("/"))
      throw new ConnectError(
        `"${path.slice(0, 100)}" is not absolute: begin with /`,
        Code.InvalidArgument,
      );
    if (path.includes("\0"))
      throw new ConnectError("a path must not contain NUL", Code.InvalidArgument);
    if (Buffer.byteLength(path) > MOST_BYTES)
      throw new ConnectError(
        `a path must not be longer than ${MOST_BYTES} bytes`,
        Code.InvalidArgument,
      );
    const names = split(path);
    if (names.length > MOST_NAMES)
      throw new ConnectError(
        `a path must not have more than ${MOST_NAMES} names`,
        Code.InvalidArgument,
      );
    const bad = names.find(
      (name) =>
        Buffer.byteLength(name) > MOST_NAME_BYTES || (this.#windows && windowsRefuses(name)),
    );
    if (bad !== undefined)
      throw new ConnectError(
        `"${bad.slice(0, 100)}" is no name of a file here: it has more than ${MOST_NAME_BYTES} bytes, or means something else to the system`,
        Code.InvalidArgument,
      );
    const mounts = this.#mounts.filter(({ guests }) => guests?.includes(guest) ?? true);
    const found = mounts.find((m) => m.names.every((name, i) => name === names[i]));
    if (found === undefined) {
      const known = mounts.map((m) => `/${m.names.join("/")}`).toSorted();
      throw new ConnectError(
        `nothing is mounted at ${path}: there is ${known.join(", ") || "nothing for this guest"}`,
        Code.NotFound,
      );
    }
    if (found.mount.kind === "stream" && names.length > found.names.length) {
      throw new ConnectError(
        `${path} is below a stream, which is no directory`,
        Code.FailedPrecondition,
      );
    }
    return {
      mount: found.mount,
      names: [
        ...names.slice(found.names.length),
        ...(path.endsWith("/") && names.length > 0 ? ["."] : []),
      ],
    };
  }

  // A call may begin later, behind an interceptor: the numbers may be folders of somebody else by then.
  [Symbol.dispose](): void {
    this.#mounts.length = 0;
    for (const fd of this.#held.splice(0)) closeSync(fd);
  }
}

const GRANTED = { guests: true } as const;
const HELD = { ...GRANTED, quota: true, entries: true } as const;
const OPTIONS: Readonly<Record<string, readonly string[]>> = {
  path: Object.keys({ path: true, write: true, ...HELD } satisfies Every<DiskMount>),
  memory: Object.keys({ memory: true, ...HELD } satisfies Every<MemoryMount>),
  stream: Object.keys({ stream: true, ...GRANTED } satisfies Every<StreamMount>),
};
type Every<T> = Record<keyof T, true>;

/** Checks what may come from a file: what is misspelt, or was quoted, would be another mount than the one that was meant. */
function checkMount(at: string, init: MountInit): void {
  const where = `the mount "${at}": `;
  if (typeof init !== "object" || (init as unknown) === null)
    throw new TypeError(`${where}it must be an object with path, memory or stream`);
  const [kind, second] = Object.keys(OPTIONS).filter((key) => Object.hasOwn(init, key));
  if (kind === undefined || second !== undefined)
    throw new TypeError(`${where}give it one of path, memory and stream`);
  checkKeys(init, OPTIONS[kind] ?? [], where);
  const { path, write, memory, entries, guests } = init as Partial<DiskMount & MemoryMount>;
  // An empty one would be the working directory.
  if (kind === "path" && (typeof path !== "string" || path === ""))
    throw new TypeError(`${where}"path" must be a path of the host`);
  if (write !== undefined && typeof write !== "boolean")
    throw new TypeError(`${where}"write" must be true or false`);
  if (memory !== undefined && (memory as unknown) !== true)
    throw new TypeError(`${where}"memory" must be true: leave the mount out if you do not want it`);
  if (entries !== undefined && !(entries >= 0))
    throw new TypeError(`${where}"entries" must be a number, 0 or more`);
  if (guests !== undefined && !Array.isArray(guests))
    throw new TypeError(`${where}"guests" must be a list of names`);
}

/** Whether some guest has both. */
function share({ guests: a }: MountInit, { guests: b }: MountInit): boolean {
  return a === undefined || b === undefined || a.some((name) => b.includes(name));
}

function mountOf(init: MemoryMount | StreamMount, memory: HeldMemory, ahead: ReadAhead): Mount {
  if ("stream" in init) {
    // A write that fails is answered to the guest that made it; the event must not end the process.
    if (typeof init.stream !== "function") init.stream.on("error", () => {});
    return { kind: "stream", stream: init.stream };
  }
  const fs = memoryFileSystem();
  const holders = new Holders(memory);
  const most = mostOf(init, MEMORY_BYTES, MEMORY_ENTRIES);
  const quota = new Quota(most, { bytes: 0, entries: 0 }, { holders });
  return { kind: "disk", fs, ...MEMORY, write: true, quota, quotas: undefined, ahead };
}

function mostOf({ quota, entries }: DiskMount | MemoryMount, bytes: number, names: number): Room {
  return { bytes: parseBytes(quota ?? bytes), entries: entries ?? names };
}

/** A mount of the host that is yet to be made. */
interface DiskInit {
  readonly at: string;
  /** Without links. */
  readonly path: string;
  readonly write: boolean;
  readonly most: Room;
  readonly guests: readonly string[] | undefined;
}

type DiskPlace = Pick<Disk, "root" | "file" | "pinned">;
const MEMORY: DiskPlace = { root: "/", file: undefined, pinned: false };

function startOf({ root, file }: DiskPlace): string {
  return `${root}/${file ?? "."}`;
}

/**
 * Where a mount begins. Its folder is held from now on, so that whatever is renamed above it, or put in its place, a guest stays in the
 * folder that the operator meant. Of a single file the folder around it is held: the operator may replace the file.
 */
function placeOf(path: string, held: number[]): DiskPlace {
  const file = statSync(path).isDirectory() ? undefined : basename(path);
  const folder = file === undefined ? path : dirname(path);
  if (process.platform !== "linux" || !existsSync("/proc/self/fd"))
    return { root: folder, file, pinned: false };
  const fd = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  held.push(fd);
  return { root: `/proc/self/fd/${fd}`, file, pinned: true };
}

function realpath(at: string, path: string): string {
  try {
    return realpathSync(path);
  } catch (cause) {
    throw new TypeError(
      `the mount "${at}" leads to ${path}, which cannot be opened: ${(cause as Error).message}`,
      { cause },
    );
  }
}

function split(path: string): string[] {
  return path.split("/").filter((name) => name !== "");
}
