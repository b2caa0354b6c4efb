import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Client, Code, ConnectError } from "@connectrpc/connect";
import { type InMemory, inMemory, ManualClock } from "@dropthrough/dispatch/testing";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { file, type FileService, FileType, Whence } from "../src/index.ts";
import { elsewhere } from "./elsewhere.ts";

let folder: string;
let memory: InMemory<typeof FileService>;
let client: Client<typeof FileService>;

async function codeOf(promise: Promise<unknown>): Promise<Code | 0> {
  return promise.then(
    () => 0,
    (error: unknown) => ConnectError.from(error).code,
  );
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const put = async (path: string, text: string): Promise<void> =>
  void (await client.writeFile({ path, data: bytes(text) }));
const get = async (path: string): Promise<string> =>
  new TextDecoder().decode((await client.readFile({ path })).data);
const names = async (path: string): Promise<string[]> =>
  (await client.list({ path })).entries.map((entry) => entry.name);

const onDisk = (quota: string, entries?: number) => ({
  "/data": { path: folder, write: true, quota, ...(entries !== undefined && { entries }) },
  "/other": { memory: true as const },
});

/** Mounts that must not be told apart by a guest. */
const KINDS = {
  disk: onDisk,
  "disk elsewhere": onDisk,
  memory: (quota: string, entries?: number) => ({
    "/data": { memory: true as const, quota, ...(entries !== undefined && { entries }) },
    "/other": { memory: true as const },
  }),
};

describe.each(Object.keys(KINDS) as (keyof typeof KINDS)[])("a %s mount:", (kind) => {
  const mount = (quota = "1 GiB", entries?: number): void => {
    const make = (): typeof memory => inMemory(file({ mounts: KINDS[kind](quota, entries) }));
    memory = kind === "disk elsewhere" ? elsewhere(make) : make();
    client = memory.client();
  };
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "dropthrough-file-"));
    mount();
  });
  afterEach(async () => {
    await memory[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  test("reads and writes go on where the last one ended, and Seek moves that place", async () => {
    await put("/data/a", "0123456789");
    const { handle } = await client.open({ path: "/data/a", read: true, write: true });
    const read = async (length: number): Promise<string> =>
      new TextDecoder().decode((await client.read({ handle, length })).data);
    expect(await read(3)).toBe("012");
    await client.write({ handle, data: bytes("xy") });
    expect(await read(2)).toBe("56");
    expect((await client.seek({ handle, offset: -2n, whence: Whence.END })).offset).toBe(8n);
    expect(await read(9)).toBe("89");
    expect((await client.seek({ handle, offset: -9n, whence: Whence.CURRENT })).offset).toBe(1n);
    expect((await client.seek({ handle, offset: 4n, whence: Whence.START })).offset).toBe(4n);
    expect(await read(2)).toBe("y5");
    expect(await codeOf(client.seek({ handle, offset: -1n, whence: Whence.START }))).toBe(
      Code.InvalidArgument,
    );
    expect(await codeOf(client.seek({ handle, offset: 2n ** 53n, whence: Whence.START }))).toBe(
      Code.InvalidArgument,
    );
    expect(await codeOf(client.seek({ handle, offset: 1n }))).toBe(Code.InvalidArgument);
    expect(await get("/data/a")).toBe("012xy56789");
  });

  test("ReadAt and WriteAt do not move it, and what lies between reads as zeros", async () => {
    await put("/data/a", "abc");
    const { handle } = await client.open({ path: "/data/a", read: true, write: true });
    await client.writeAt({ handle, offset: 5n, data: bytes("z") });
    expect(await get("/data/a")).toBe("abc\0\0z");
    expect((await client.readAt({ handle, offset: 1n, length: 2 })).data).toEqual(bytes("bc"));
    expect((await client.readAt({ handle, offset: 6n })).data).toHaveLength(0);
    expect((await client.readAt({ handle, offset: 1000n })).data).toHaveLength(0);
    expect((await client.read({ handle, length: 1 })).data).toEqual(bytes("a"));
    expect(await codeOf(client.readAt({ handle, offset: 2n ** 60n }))).toBe(Code.InvalidArgument);
  });

  test("a handle opened to append always writes at the end, and takes no WriteAt", async () => {
    await put("/data/a", "abc");
    const { handle } = await client.open({
      path: "/data/a",
      read: true,
      write: true,
      append: true,
    });
    await client.seek({ handle, whence: Whence.START });
    await client.write({ handle, data: bytes("d") });
    expect(await codeOf(client.writeAt({ handle, data: bytes("x") }))).toBe(
      Code.FailedPrecondition,
    );
    expect(await get("/data/a")).toBe("abcd");
    await client.truncate({ handle, size: 2n });
    await client.write({ handle, data: bytes("e") });
    expect(await get("/data/a")).toBe("abe");
  });

  test("Truncate makes a file shorter, or longer with zeros; Sync waits for the disk", async () => {
    await put("/data/a", "abcdef");
    const { handle } = await client.open({ path: "/data/a", write: true });
    await client.truncate({ handle, size: 2n });
    await client.truncate({ handle, size: 4n });
    await client.sync({ handle });
    expect(await get("/data/a")).toBe("ab\0\0");
    const reader = await client.open({ path: "/data/a", read: true });
    expect(await codeOf(client.truncate({ handle: reader.handle, size: 0n }))).toBe(
      Code.FailedPrecondition,
    );
  });

  test("WriteFile replaces a file whole, leaves nothing beside it, and is exclusive if asked", async () => {
    await client.writeFile({ path: "/data/a", data: bytes("first"), exclusive: true });
    expect(
      await codeOf(client.writeFile({ path: "/data/a", data: bytes("x"), exclusive: true })),
    ).toBe(Code.AlreadyExists);
    await client.writeFile({ path: "/data/a", data: bytes("second"), sync: true });
    expect(await get("/data/a")).toBe("second");
    expect(await names("/data")).toEqual(["a"]);
    await client.makeDirectory({ path: "/data/d" });
    expect(await codeOf(client.writeFile({ path: "/data/d", data: bytes("x") }))).toBe(
      Code.FailedPrecondition,
    );
    expect(await codeOf(client.writeFile({ path: "/data", data: bytes("x") }))).toBe(
      Code.FailedPrecondition,
    );
    expect(await codeOf(client.writeFile({ path: "/data/none/a", data: bytes("x") }))).toBe(
      Code.NotFound,
    );
    expect(await names("/data")).toEqual(["a", "d"]);
  });

  test("ReadFile answers up to 3 MiB", async () => {
    await client.writeFile({ path: "/data/a", data: new Uint8Array(3 * 2 ** 20) });
    expect((await client.readFile({ path: "/data/a" })).data).toHaveLength(3 * 2 ** 20);
    const { handle } = await client.open({ path: "/data/a", write: true, append: true });
    await client.write({ handle, data: bytes("x") });
    expect(await codeOf(client.readFile({ path: "/data/a" }))).toBe(Code.ResourceExhausted);
  });

  test("MakeDirectory makes one, or all on the way", async () => {
    expect(await codeOf(client.makeDirectory({ path: "/data/a/b/c" }))).toBe(Code.NotFound);
    await client.makeDirectory({ path: "/data/a/b/c", parents: true });
    await client.makeDirectory({ path: "/data/a/b/c/", parents: true });
    expect((await client.stat({ path: "/data/a/b/c" })).info?.type).toBe(FileType.DIRECTORY);
    expect(await codeOf(client.makeDirectory({ path: "/data/a/b" }))).toBe(Code.AlreadyExists);
    await put("/data/f", "");
    expect(await codeOf(client.makeDirectory({ path: "/data/f", parents: true }))).toBe(
      Code.AlreadyExists,
    );
    expect(await codeOf(client.makeDirectory({ path: "/data/f/g", parents: true }))).toBe(
      Code.FailedPrecondition,
    );
    expect(await codeOf(client.makeDirectory({ path: "/data/../x" }))).toBe(Code.PermissionDenied);
  });

  test("Remove takes away a file, an empty directory, or all of it", async () => {
    await client.makeDirectory({ path: "/data/d/e", parents: true });
    for (let i = 0; i < 300; i++) await put(`/data/d/e/${i}`, "x");
    await put("/data/f", "x");
    await client.remove({ path: "/data/f" });
    expect(await codeOf(client.remove({ path: "/data/f" }))).toBe(Code.NotFound);
    expect(await codeOf(client.remove({ path: "/data/d" }))).toBe(Code.FailedPrecondition);
    await client.remove({ path: "/data/d", recursive: true });
    expect(await names("/data")).toEqual([]);
    await client.makeDirectory({ path: "/data/g" });
    await client.remove({ path: "/data/g/" });
    expect(await codeOf(client.remove({ path: "/data", recursive: true }))).toBe(
      Code.FailedPrecondition,
    );
    expect(await codeOf(client.remove({ path: "/data/../x", recursive: true }))).toBe(
      Code.PermissionDenied,
    );
  });

  test("Rename moves within a mount, replaces a file, and refuses the rest", async () => {
    await put("/data/a", "a");
    await put("/data/b", "b");
    await client.makeDirectory({ path: "/data/d/e", parents: true });
    await client.rename({ from: "/data/a", to: "/data/b" });
    expect(await get("/data/b")).toBe("a");
    await client.rename({ from: "/data/b", to: "/data/d/c" });
    await client.rename({ from: "/data/d", to: "/data/z" });
    expect(await get("/data/z/c")).toBe("a");
    expect(await codeOf(client.rename({ from: "/data/none", to: "/data/x" }))).toBe(Code.NotFound);
    expect(await codeOf(client.rename({ from: "/data/z/c", to: "/other/c" }))).toBe(
      Code.FailedPrecondition,
    );
    expect(await codeOf(client.rename({ from: "/data/z/c", to: "/data/z/e" }))).toBe(
      Code.FailedPrecondition,
    );
    expect(await codeOf(client.rename({ from: "/data/z/e", to: "/data/z/c" }))).toBe(
      Code.FailedPrecondition,
    );
    expect(await codeOf(client.rename({ from: "/data", to: "/data/x" }))).toBe(
      Code.FailedPrecondition,
    );
    expect(await codeOf(client.rename({ from: "/data/z/c", to: "/data/../x" }))).toBe(
      Code.PermissionDenied,
    );
    expect(await names("/data/z")).toEqual(["c", "e"]);
  });

  test("Copy copies between mounts, in pieces, and a file onto itself loses nothing", async () => {
    const text = "0123456789abcdef".repeat(100_000);
    const { handle } = await client.open({ path: "/data/a", write: true, create: true });
    await client.write({ handle, data: bytes(text) });
    await client.close({ handle });
    expect((await client.copy({ from: "/data/a", to: "/other/a" })).size).toBe(1_600_000n);
    expect(await get("/other/a")).toBe(text);
    expect((await client.copy({ from: "/data/a", to: "/data/a" })).size).toBe(1_600_000n);
    expect(await get("/data/a")).toBe(text);
    expect(await codeOf(client.copy({ from: "/data", to: "/data/x" }))).toBe(
      Code.FailedPrecondition,
    );
  });

  test("a quota holds while many write one name at once, and each file counts once", async () => {
    mount("1 MiB", 4);
    const write = async (name: string, kib: number, sync = false): Promise<unknown> =>
      client.writeFile({ path: `/data/${name}`, data: new Uint8Array(kib * 1024), sync });
    await write("a", 400);
    await write("b", 600);
    await Promise.all([1, 2, 3].map(async () => write("a", 0, true)));
    expect(await codeOf(write("a", 425))).toBe(Code.ResourceExhausted);
    // New names, written by several: one file and one entry each.
    await client.remove({ path: "/data/b" });
    await Promise.all([1, 2, 3].map(async () => write("b", 300, true)));
    await write("c", 424);
    await write("d", 300);
    expect(await codeOf(write("e", 0))).toBe(Code.ResourceExhausted);
  });

  test("a quota holds whatever way bytes come in, and what is removed is free again", async () => {
    mount("1 KiB");
    await put("/data/a", "x".repeat(1000));
    const full = async (call: Promise<unknown>): Promise<void> =>
      expect(await codeOf(call)).toBe(Code.ResourceExhausted);
    await full(put("/data/b", "x".repeat(25)));
    const { handle } = await client.open({ path: "/data/a", write: true });
    await full(client.writeAt({ handle, offset: 1_000n, data: bytes("x".repeat(25)) }));
    await full(client.writeAt({ handle, offset: 2n ** 40n, data: bytes("x") }));
    await full(client.truncate({ handle, size: 2n ** 40n }));
    await client.writeFile({ path: "/other/big", data: new Uint8Array(100) });
    await full(client.copy({ from: "/other/big", to: "/data/big" }));
    await client.writeAt({ handle, data: bytes("y".repeat(1000)) });
    await client.writeAt({ handle, offset: 1000n, data: bytes("x".repeat(24)) });
    await client.truncate({ handle, size: 500n });
    await put("/data/b", "x".repeat(500));
    await client.remove({ path: "/data/b" });
    await put("/data/c", "x".repeat(500));
    await client.rename({ from: "/data/c", to: "/data/a" });
    // The file that had that name is gone for everybody but for whom it is open: the disk still has it.
    await full(put("/data/d", "x".repeat(500)));
    await client.close({ handle });
    await put("/data/d", "x".repeat(500));
    expect(await get("/data/a")).toBe("x".repeat(500));
  });

  test("files that are removed while they are open count until they are closed", async () => {
    mount("1 KiB");
    const handles: bigint[] = [];
    for (let i = 0; i < 2; i++) {
      const { handle } = await client.open({ path: `/data/${i}`, write: true, create: true });
      await client.write({ handle, data: bytes("x".repeat(500)) });
      await client.remove({ path: `/data/${i}` });
      handles.push(handle);
    }
    expect(await codeOf(put("/data/a", "x".repeat(500)))).toBe(Code.ResourceExhausted);
    await memory.end();
    client = memory.client("another");
    await put("/data/a", "x".repeat(1000));
  });

  test("many entries are bounded where the operator says so, whatever they are", async () => {
    mount("1 GiB", 5);
    const full = async (call: Promise<unknown>): Promise<void> =>
      expect(await codeOf(call)).toBe(Code.ResourceExhausted);
    await client.makeDirectory({ path: "/data/a/b", parents: true });
    for (const name of ["c", "d", "e"]) await put(`/data/${name}`, "");
    await full(put("/data/f", ""));
    await full(client.open({ path: "/data/f", write: true, create: true }));
    await full(client.makeDirectory({ path: "/data/f" }));
    await full(client.copy({ from: "/data/c", to: "/data/f" }));
    expect(await names("/data")).toEqual(["a", "c", "d", "e"]);
    await put("/data/c", "replaced");
    await client.rename({ from: "/data/c", to: "/data/d" });
    await put("/data/f", "");
    await full(put("/data/g", ""));
    await client.remove({ path: "/data/a", recursive: true });
    await put("/data/g", "");
    await client.makeDirectory({ path: "/data/h" });
    await full(put("/data/i", ""));
    await client.remove({ path: "/data/h" });
    await put("/data/i", "");
  });

  test("an open file that is not used is closed after its time, and one that is used is not", async () => {
    const clock = new ManualClock();
    const mounts = KINDS[kind]("1 GiB", undefined);
    memory = inMemory(file({ mounts, clock, limits: { idleMs: 1000 } }));
    client = memory.client();
    await put("/data/a", "abc");
    const idle = (await client.open({ path: "/data/a", read: true })).handle;
    const used = (await client.open({ path: "/data/a", read: true })).handle;
    for (let i = 0; i < 20; i++) {
      clock.advance(100);
      await client.readAt({ handle: used, length: 1 });
    }
    expect((await client.read({ handle: used })).data).toEqual(bytes("abc"));
    await expect(client.read({ handle: idle })).rejects.toThrow(
      "one that is not used for 1 s is closed",
    );
    expect(await codeOf(client.read({ handle: idle }))).toBe(Code.NotFound);
  });

  test("nothing stays open, whatever was done", async () => {
    const open = (): number => readdirSync("/proc/self/fd").length;
    await client.makeDirectory({ path: "/data/d" });
    await put("/data/d/f", "x");
    const before = open();
    await codeOf(client.remove({ path: "/data/d/none", recursive: true }));
    await codeOf(client.rename({ from: "/data/d/f", to: "/data/none/f" }));
    await codeOf(client.writeFile({ path: "/data/d", data: bytes("x"), sync: true }));
    await codeOf(client.copy({ from: "/data/d/f", to: "/data/d" }));
    await client.writeFile({ path: "/data/d/g", data: bytes("x"), sync: true });
    await client.remove({ path: "/data/d/f", recursive: true });
    await client.remove({ path: "/data/d", recursive: true });
    expect(open()).toBe(before);
  });

  test("the file that a failed WriteFile began is closed, and gone", async () => {
    mount("1 KiB");
    const open = (): number => readdirSync("/proc/self/fd").length;
    const before = open();
    for (const sync of [false, true]) {
      const data = new Uint8Array(1025);
      expect(await codeOf(client.writeFile({ path: "/data/a", data, sync }))).toBe(
        Code.ResourceExhausted,
      );
    }
    // Both find that the name is free, and one of them that it no longer is.
    const path = "/data/b";
    const both = [1, 2].map(async () =>
      codeOf(client.writeFile({ path, data: bytes("x"), sync: true, exclusive: true })),
    );
    expect((await Promise.all(both)).toSorted((a, b) => a - b)).toEqual([0, Code.AlreadyExists]);
    expect(open()).toBe(before);
    expect(await names("/data")).toEqual(["b"]);
    await put("/data/c", "x".repeat(1023));
  });
});

test("a memory mount has a quota of 64 MiB if it names none, and a malformed one is refused", async () => {
  memory = inMemory(file({ mounts: { "/m": { memory: true } } }));
  client = memory.client();
  const { handle } = await client.open({ path: "/m/a", write: true, create: true });
  expect(await codeOf(client.truncate({ handle, size: 64n * 2n ** 20n + 1n }))).toBe(
    Code.ResourceExhausted,
  );
  expect(() => file({ mounts: { "/m": { memory: true, quota: "1 GB" } } })).toThrow(
    '"1 GB" is no number of bytes',
  );
});
