import { readdirSync } from "node:fs";
import { Code } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import { FileType, Whence } from "../src/index.ts";
import { bytes, client, codeOf, get, type Kind, KINDS, mounted, names, put } from "./mounted.ts";

describe.each(Object.keys(KINDS) as Kind[])("a %s mount:", (kind) => {
  const mount = mounted(kind);

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
