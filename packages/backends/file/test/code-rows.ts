import { constants } from "node:os";
import { type Client, Code, ConnectError } from "@connectrpc/connect";
import { type FileService, Whence } from "../src/index.ts";
import { failToClose, onFailingDisk } from "./failing-disk.ts";

type Files = Client<typeof FileService>;
/** What provokes a code; it finds a file /m/f and a directory /m/d. */
export type Row = [rpc: string, code: Code, when: string, call: (files: Files) => Promise<unknown>];

const BEYOND = 2n ** 53n + 1n;
/** More than the quota of /m. */
export const data: Uint8Array<ArrayBuffer> = new Uint8Array(10_001);
const { InvalidArgument, FailedPrecondition, ResourceExhausted, PermissionDenied } = Code;
const { AlreadyExists, NotFound, Unavailable } = Code;

/** A file of /m, open. */
async function opened(c: Files, how: object): Promise<bigint> {
  return (await c.open({ path: "/m/f", ...how })).handle;
}

async function stream(c: Files, path = "/out"): Promise<bigint> {
  return (await c.open({ path, write: true })).handle;
}

/** Fills /m, which may hold 4 files and directories, two of them made before each row. */
export async function fill(c: Files): Promise<void> {
  await c.makeDirectory({ path: "/m/2" });
  await c.makeDirectory({ path: "/m/3" });
}

const reads = { read: true };
const writes = { write: true };
/** Of the calls on handles, of List and of watches, on the mounts of codes.test.ts. */
export const ROWS: Row[] = [
  ["Open", InvalidArgument, "to do nothing", async (c) => c.open({ path: "/m/f" })],
  [
    "Open",
    InvalidArgument,
    "to create, not to write",
    async (c) => opened(c, { ...reads, create: true }),
  ],
  [
    "Open",
    InvalidArgument,
    "exclusive, not to create",
    async (c) => opened(c, { ...writes, exclusive: true }),
  ],
  [
    "Open",
    AlreadyExists,
    "if it is there",
    async (c) => opened(c, { ...writes, create: true, exclusive: true }),
  ],
  [
    "Open",
    FailedPrecondition,
    "for a directory",
    async (c) => c.open({ path: "/m/d", read: true }),
  ],
  [
    "Open",
    PermissionDenied,
    "on a read-only mount",
    async (c) => c.open({ path: "/ro/f", write: true, create: true }),
  ],
  [
    "Open",
    PermissionDenied,
    "to read a stream",
    async (c) => c.open({ path: "/out", read: true, write: true }),
  ],
  [
    "Open",
    ResourceExhausted,
    "above the handles",
    async (c) => {
      for (let i = 0; i < 5; i++) await opened(c, reads);
    },
  ],
  [
    "Open",
    ResourceExhausted,
    "above the entries",
    async (c) => {
      await fill(c);
      await c.open({ path: "/m/new", write: true, create: true });
    },
  ],
  [
    "Read",
    FailedPrecondition,
    "if opened to write",
    async (c) => c.read({ handle: await opened(c, writes) }),
  ],
  [
    "Write",
    FailedPrecondition,
    "if opened to read",
    async (c) => c.write({ handle: await opened(c, reads), data }),
  ],
  [
    "Write",
    ResourceExhausted,
    "above the quota",
    async (c) => c.write({ handle: await opened(c, writes), data }),
  ],
  [
    "Write",
    Unavailable,
    "if the reader has gone",
    async (c) => c.write({ handle: await stream(c, "/broken"), data }),
  ],
  [
    "ReadAt",
    FailedPrecondition,
    "if opened to write",
    async (c) => c.readAt({ handle: await opened(c, writes) }),
  ],
  [
    "ReadAt",
    FailedPrecondition,
    "for a stream",
    async (c) => c.readAt({ handle: await stream(c) }),
  ],
  [
    "ReadAt",
    InvalidArgument,
    "beyond 2^53",
    async (c) => c.readAt({ handle: await opened(c, reads), offset: BEYOND }),
  ],
  [
    "WriteAt",
    FailedPrecondition,
    "if opened to read",
    async (c) => c.writeAt({ handle: await opened(c, reads), data }),
  ],
  [
    "WriteAt",
    FailedPrecondition,
    "if opened to append",
    async (c) => c.writeAt({ handle: await opened(c, { ...writes, append: true }), data }),
  ],
  [
    "WriteAt",
    FailedPrecondition,
    "for a stream",
    async (c) => c.writeAt({ handle: await stream(c), data }),
  ],
  [
    "WriteAt",
    InvalidArgument,
    "beyond 2^53",
    async (c) => c.writeAt({ handle: await opened(c, writes), offset: BEYOND, data }),
  ],
  [
    "WriteAt",
    ResourceExhausted,
    "above the quota",
    async (c) => c.writeAt({ handle: await opened(c, writes), data }),
  ],
  [
    "Seek",
    InvalidArgument,
    "before the beginning",
    async (c) => c.seek({ handle: await opened(c, reads), offset: -1n, whence: Whence.START }),
  ],
  [
    "Seek",
    InvalidArgument,
    "beyond 2^53",
    async (c) => c.seek({ handle: await opened(c, reads), offset: BEYOND, whence: Whence.START }),
  ],
  [
    "Seek",
    InvalidArgument,
    "without a whence",
    async (c) => c.seek({ handle: await opened(c, reads) }),
  ],
  [
    "Seek",
    FailedPrecondition,
    "for a stream",
    async (c) => c.seek({ handle: await stream(c), whence: Whence.START }),
  ],
  [
    "Truncate",
    FailedPrecondition,
    "if opened to read",
    async (c) => c.truncate({ handle: await opened(c, reads) }),
  ],
  [
    "Truncate",
    FailedPrecondition,
    "for a stream",
    async (c) => c.truncate({ handle: await stream(c) }),
  ],
  [
    "Truncate",
    InvalidArgument,
    "beyond 2^53",
    async (c) => c.truncate({ handle: await opened(c, writes), size: BEYOND }),
  ],
  [
    "Truncate",
    ResourceExhausted,
    "above the quota",
    async (c) => c.truncate({ handle: await opened(c, writes), size: 10_001n }),
  ],
  ["List", FailedPrecondition, "for a file", async (c) => c.list({ path: "/m/f" })],
  ["List", InvalidArgument, "for 10,001", async (c) => c.list({ path: "/m", limit: 10_001 })],
  [
    "Watch",
    FailedPrecondition,
    "for a file",
    async (c) => {
      await c.writeFile({ path: "/rw/f" });
      await c.watch({ path: "/rw/f" });
    },
  ],
  [
    "Watch",
    InvalidArgument,
    "for a buffer of 16,385",
    async (c) => c.watch({ path: "/rw", buffer: 16_385 }),
  ],
  [
    "Watch",
    ResourceExhausted,
    "above the directories",
    async (c) => {
      for (let i = 0; i < 3; i++) await c.watch({ path: "/rw" });
    },
  ],
  ["ReadEvents", NotFound, "for no watch", async (c) => c.readEvents({ watch: 7n })],
  [
    "ReadEvents",
    InvalidArgument,
    "for 60,001 ms",
    async (c) => c.readEvents({ watch: (await c.watch({ path: "/rw" })).watch, waitMs: 60_001 }),
  ],
  [
    "ReadEvents",
    FailedPrecondition,
    "while another one waits",
    async (c) => {
      const { watch } = await c.watch({ path: "/rw" });
      c.readEvents({ watch, waitMs: 60_000 }).catch(() => {});
      await c.readEvents({ watch, waitMs: 60_000 });
    },
  ],
  [
    "Sync",
    Unavailable,
    "if the disk says that it has not",
    async () => {
      throw new ConnectError("of a process of its own", onFailingDisk(constants.errno.EIO).sync);
    },
  ],
  [
    "Close",
    Unavailable,
    "if the disk says that it has not",
    async (c) => {
      const { handle } = await c.open({ path: "/rw/f", write: true, create: true });
      failToClose();
      await c.close({ handle });
    },
  ],
  [
    "Sync",
    ResourceExhausted,
    "above the handles",
    async (c) => {
      let handle = 0n;
      for (let i = 0; i < 4; i++) handle = await opened(c, writes);
      await c.sync({ handle });
    },
  ],
  ["EndWatch", NotFound, "for no watch", async (c) => c.endWatch({ watch: 7n })],
];
