import { realpathSync } from "node:fs";
import { Code, ConnectError } from "@connectrpc/connect";
import { type FileSystem, hostFileSystem, memoryFileSystem } from "./file-system.ts";
import type { DiskMount, MemoryMount, StreamMount } from "./index.ts";
import { bytesBelow, parseBytes, Quota } from "./quota.ts";

const MOST_BYTES = 4096;

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
  readonly root: string;
  readonly write: boolean;
  /** Whether directories can be held by descriptors, below `/proc/self/fd`. */
  readonly pinned: boolean;
  readonly quota: Quota;
}

/** Whatever can be mounted. */
type MountInit = DiskMount | MemoryMount | StreamMount;

/** Bytes of a memory mount that says nothing else. */
const MEMORY_QUOTA = 64 * 1024 * 1024;

/** What the operator has mounted where. */
export class Mounts {
  readonly #mounts: { readonly names: readonly string[]; readonly mount: Mount }[] = [];

  /** @throws TypeError if a mount is not absolute, or its path does not exist */
  constructor(mounts: Readonly<Record<string, MountInit>>) {
    for (const [at, init] of Object.entries(mounts)) {
      if (!at.startsWith("/") || at.split("/").some((name) => name === "." || name === "..")) {
        throw new TypeError(`the mount "${at}" must be an absolute path without . and ..`);
      }
      this.#mounts.push({ names: split(at), mount: mountOf(at, init) });
    }
    // The longest comes first: /data/tmp before /data.
    this.#mounts.sort((a, b) => b.names.length - a.names.length);
  }

  /**
   * Finds the mount of a path.
   *
   * @throws ConnectError INVALID_ARGUMENT if it is no absolute path; NOT_FOUND if it is below no mount; FAILED_PRECONDITION if it is
   *   below a stream
   */
  find(path: string): Place {
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
    const found = this.#mounts.find((m) => m.names.every((name, i) => name === names[i]));
    if (found === undefined) {
      const known = this.#mounts.map((m) => `/${m.names.join("/")}`).toSorted();
      throw new ConnectError(
        `nothing is mounted at ${path}: there is ${known.join(", ")}`,
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
}

function mountOf(at: string, init: MountInit): Mount {
  if ("stream" in init) {
    // A write that fails is answered to the guest that made it; the event must not end the process.
    init.stream.on("error", () => {});
    return { kind: "stream", stream: init.stream };
  }
  const memory = "memory" in init;
  const fs = memory ? memoryFileSystem() : hostFileSystem;
  const root = memory ? "/" : realpath(at, init.path);
  const quota = new Quota(parseBytes(init.quota ?? (memory ? MEMORY_QUOTA : Infinity)), () =>
    bytesBelow(fs, root),
  );
  return {
    kind: "disk",
    fs,
    root,
    write: memory || init.write === true,
    pinned: !memory && process.platform === "linux",
    quota,
  };
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
