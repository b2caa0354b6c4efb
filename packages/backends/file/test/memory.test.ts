import { Writable } from "node:stream";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Code, ConnectError } from "@connectrpc/connect";
import { type InMemory, inMemory } from "@dropthrough/dispatch/testing";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { file, type FileService } from "../src/index.ts";

const MOST = 10_000;
let memory: InMemory<typeof FileService>;
let taken: () => void;

beforeEach(() => {
  // What is written to it waits until it is said to be taken.
  const stream = new Writable({ write: (_, __, done) => void (taken = done) });
  memory = inMemory(
    file({
      mounts: {
        "/a": { memory: true },
        "/b": { memory: true, quota: Infinity, entries: Infinity },
        "/out": { stream },
      },
      limits: { memoryBytes: MOST },
    }),
  );
});
afterEach(() => memory[Symbol.asyncDispose]());

async function codeOf(promise: Promise<unknown>): Promise<Code | 0> {
  return promise.then(
    () => 0,
    (error: unknown) => ConnectError.from(error).code,
  );
}

const put = async (guest: string, path: string, size: number): Promise<Code | 0> =>
  codeOf(memory.client(guest).writeFile({ path, data: new Uint8Array(size) }));

/** How much more a guest can hold, tried out: one byte more is refused. */
async function left(guest: string): Promise<number> {
  let [fits, not] = [0, MOST + 1];
  while (not - fits > 1) {
    const middle = Math.floor((fits + not) / 2);
    if ((await put(guest, "/b/probe", middle)) === 0) fits = middle;
    else not = middle;
    await codeOf(memory.client(guest).remove({ path: "/b/probe" }));
  }
  return fits;
}

describe("what a guest holds of the host's memory", () => {
  test("is bounded in all mounts together, and leaves the other guests theirs", async () => {
    expect(await put("greedy", "/a/1", 6000)).toBe(0);
    expect(await put("greedy", "/b/2", 4000)).toBe(0);
    expect(await put("greedy", "/a/3", 1)).toBe(Code.ResourceExhausted);
    expect(await put("other", "/a/3", 10_000)).toBe(0);
    await expect(
      memory.client("greedy").writeFile({ path: "/b/4", data: new Uint8Array(1) }),
    ).rejects.toThrow(
      "may hold 10000 bytes of memory in files and streams, and this one holds 10000",
    );
    expect((await memory.client().list({ path: "/b" })).entries.map(({ name }) => name)).toEqual([
      "2",
    ]);
  });

  test("is bounded whatever way bytes come in, and a refused write leaves nothing behind", async () => {
    const client = memory.client("g");
    const { handle } = await client.open({ path: "/a/f", write: true, read: true, create: true });
    await client.write({ handle, data: new Uint8Array(9000) });
    const full = async (call: Promise<unknown>): Promise<void> =>
      expect(await codeOf(call)).toBe(Code.ResourceExhausted);
    await full(client.write({ handle, data: new Uint8Array(1001) }));
    await full(client.writeAt({ handle, offset: 2n ** 40n, data: new Uint8Array(1) }));
    await full(client.truncate({ handle, size: 10_001n }));
    await full(client.copy({ from: "/a/f", to: "/b/g" }));
    await full(client.writeFile({ path: "/b/h", data: new Uint8Array(1001), sync: true }));
    await full(client.writeFile({ path: "/a/f", data: new Uint8Array(1001) }));
    await client.writeAt({ handle, offset: 100n, data: new Uint8Array(8900) });
    expect(await left("g")).toBe(1000);
    await client.truncate({ handle, size: 5000n });
    expect(await left("g")).toBe(5000);
  });

  test("is free when it is removed, replaced, or closed as the last one, by whomever", async () => {
    await put("a", "/a/f", 3000);
    const { handle } = await memory.client("b").open({ path: "/a/f", write: true, append: true });
    await memory.client("b").write({ handle, data: new Uint8Array(500) });
    expect([await left("a"), await left("b")]).toEqual([7000, 9500]);
    await memory.client("c").remove({ path: "/a/f" });
    expect([await left("a"), await left("b")]).toEqual([7000, 9500]);
    await memory.client("b").close({ handle });
    expect([await left("a"), await left("b")]).toEqual([MOST, MOST]);
    await put("a", "/a/x", 100);
    await put("b", "/a/y", 200);
    await memory.client("c").rename({ from: "/a/x", to: "/a/y" });
    expect([await left("a"), await left("b")]).toEqual([9900, MOST]);
    await put("b", "/a/y", 300);
    expect([await left("a"), await left("b")]).toEqual([MOST, 9700]);
  });

  test("goes to those who wrote last when another makes the file shorter", async () => {
    await put("a", "/a/f", 3000);
    const { handle } = await memory.client("b").open({ path: "/a/f", write: true, append: true });
    await memory.client("b").write({ handle, data: new Uint8Array(500) });
    await memory.client("b").truncate({ handle, size: 2900n });
    expect([await left("a"), await left("b")]).toEqual([7100, MOST]);
  });

  test("is not free with a file that had the number of its file before, and was open still", async () => {
    const client = memory.client("g");
    for (const [name, size, code] of [
      ["1", 6000, 0],
      ["2", 6000, Code.ResourceExhausted],
      ["3", 4000, 0],
      ["4", 1, Code.ResourceExhausted],
    ] as const) {
      const { handle } = await client.open({ path: "/a/old", write: true, create: true });
      await client.remove({ path: "/a/old" });
      expect(await put("g", `/a/${name}`, size), name).toBe(code);
      await client.close({ handle });
    }
  });

  test("outlives the instance that wrote it: to crash and begin anew frees nothing", async () => {
    await put("g", "/a/f", 9999);
    await memory.end("g");
    expect(await left("g")).toBe(1);
  });

  test("has in it what waits for the reader of a stream, also if nobody waits for the answer", async () => {
    const client = memory.client("g");
    const { handle } = await client.open({ path: "/out", write: true });
    const write = async (size: number): Promise<Code | 0> =>
      codeOf(client.write({ handle, data: new Uint8Array(size) }, { timeoutMs: 2 }));
    expect(await write(6000)).toBe(Code.DeadlineExceeded);
    expect(await write(4001)).toBe(Code.ResourceExhausted);
    expect(await put("g", "/a/f", 4001)).toBe(Code.ResourceExhausted);
    taken();
    await new Promise(setImmediate);
    expect(await left("g")).toBe(MOST);
  });
});

describe("the host's own memory", () => {
  const MIB = 1024 * 1024;
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const used = async (): Promise<number> => {
    collect();
    await new Promise(setImmediate);
    collect();
    return process.memoryUsage().arrayBuffers;
  };
  let own: InMemory<typeof FileService>;
  beforeEach(() => void (own = inMemory(file({ mounts: { "/m": { memory: true } } }))));
  afterEach(() => own[Symbol.asyncDispose]());

  test("has a file no longer that was replaced, and its directory can be removed", async () => {
    const client = own.client();
    await client.makeDirectory({ path: "/m/d" });
    const data = new Uint8Array(2 * MIB);
    await client.writeFile({ path: "/m/d/f", data });
    const before = await used();
    for (let i = 0; i < 10; i++) {
      await client.writeFile({ path: "/m/d/f", data });
      await client.writeFile({ path: "/m/d/g", data });
      await client.rename({ from: "/m/d/g", to: "/m/d/f" });
    }
    expect((await used()) - before).toBeLessThan(4 * MIB);
    for (const name of ["x", "y"]) await client.makeDirectory({ path: `/m/d/${name}` });
    await client.rename({ from: "/m/d/x", to: "/m/d/y" });
    await client.remove({ path: "/m/d/y" });
    await client.remove({ path: "/m/d/f" });
    await client.remove({ path: "/m/d" });
  });

  test("has no room any more for what was cut off", async () => {
    const client = own.client();
    const before = await used();
    const text = Buffer.from("0123456789");
    for (let i = 0; i < 5; i++) {
      const { handle } = await client.open({ path: `/m/${i}`, write: true, create: true });
      await client.write({ handle, data: text });
      for (let size = 16 * MIB; size > 5; size = Math.floor(size / 1.5))
        await client.truncate({ handle, size: BigInt(size) });
      await client.truncate({ handle, size: 7n });
    }
    expect((await used()) - before).toBeLessThan(MIB);
    const { data } = await client.readFile({ path: "/m/4" });
    expect(Buffer.from(data).toString()).toMatch(/^012345.$/);
  });
});
