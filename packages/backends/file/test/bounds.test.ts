import { Code } from "@connectrpc/connect";
import { inMemory, ManualClock } from "@dropthrough/dispatch/testing";
import { describe, expect, test } from "vitest";
import { file } from "../src/index.ts";
import {
  bytes,
  client,
  codeOf,
  get,
  type Kind,
  KINDS,
  memory,
  mounted,
  names,
  put,
  use,
} from "./mounted.ts";

describe.each(Object.keys(KINDS) as Kind[])("a %s mount:", (kind) => {
  const mount = mounted(kind);

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
    use(memory, "another");
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
    use(inMemory(file({ mounts, clock, limits: { idleMs: 1000 } })));
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
});

test("a memory mount has a quota of 64 MiB if it names none, and a malformed one is refused", async () => {
  use(inMemory(file({ mounts: { "/m": { memory: true } } })));
  const { handle } = await client.open({ path: "/m/a", write: true, create: true });
  expect(await codeOf(client.truncate({ handle, size: 64n * 2n ** 20n + 1n }))).toBe(
    Code.ResourceExhausted,
  );
  expect(() => file({ mounts: { "/m": { memory: true, quota: "1 GB" } } })).toThrow(
    '"1 GB" is no number of bytes',
  );
});
