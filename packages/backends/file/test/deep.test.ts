import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Client, Code, ConnectError } from "@connectrpc/connect";
import { type InMemory, inMemory } from "@dropthrough/dispatch/testing";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { hostFileSystem } from "../src/file-system.ts";
import { file, type FileService } from "../src/index.ts";

let folder: string;
let memory: InMemory<typeof FileService>;
let client: Client<typeof FileService>;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "dropthrough-deep-"))));
afterEach(async () => {
  vi.restoreAllMocks();
  await memory[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

async function codeOf(promise: Promise<unknown>): Promise<Code | 0> {
  return promise.then(
    () => 0,
    (error: unknown) => ConnectError.from(error).code,
  );
}

const open = (): number => readdirSync("/proc/self/fd").length;
const below = (...depths: [root: string, depth: number][]): string =>
  depths.map(([root, depth]) => `/${root}${"/d".repeat(depth - 1)}`).join("");

function mount(kind: "disk" | "memory", handles = 256): void {
  const data = kind === "disk" ? { path: folder, write: true } : { memory: true as const };
  memory = inMemory(file({ mounts: { "/data": data }, limits: { handles } }));
  client = memory.client();
}

describe.each(["disk", "memory"] as const)("on a %s mount", (kind) => {
  beforeEach(() => mount(kind));

  test("a path has 256 names at most, for any call", async () => {
    const path = `/data${"/d".repeat(255)}`;
    await client.makeDirectory({ path, parents: true });
    await client.makeDirectory({ path, parents: true });
    expect((await client.list({ path })).entries).toEqual([]);
    for (const deeper of [`${path}/d`, `${path}/d/x/y`]) {
      expect(await codeOf(client.makeDirectory({ path: deeper, parents: true }))).toBe(
        Code.InvalidArgument,
      );
      expect(await codeOf(client.stat({ path: deeper }))).toBe(Code.InvalidArgument);
      expect(await codeOf(client.rename({ from: path, to: deeper }))).toBe(Code.InvalidArgument);
    }
    await client.remove({ path: "/data/d", recursive: true });
    expect((await client.list({ path: "/data" })).entries).toEqual([]);
  });

  test("a tree that was made deeper by Rename is removed, whole, and is held a few directories at a time", async () => {
    // 3 times 250 deep.
    for (const root of ["a", "b", "c"])
      await client.makeDirectory({ path: `/data${below([root, 250])}`, parents: true });
    await client.writeFile({ path: `/data${below(["c", 250])}/f` });
    await client.rename({ from: "/data/c", to: `/data${below(["b", 250])}/c` });
    await client.rename({ from: "/data/b", to: `/data${below(["a", 250])}/b` });
    const before = open();
    let most = 0;
    const watched = setInterval(() => (most = Math.max(most, open())));
    await client.remove({ path: "/data/a", recursive: true });
    clearInterval(watched);
    expect(most - before).toBeLessThan(50);
    expect((await client.list({ path: "/data" })).entries).toEqual([]);
    expect(open()).toBe(before);
  });
});

describe("on a disk", () => {
  test("MakeDirectory with parents walks once, however many are to be made", async () => {
    mount("disk");
    const opens = vi.spyOn(hostFileSystem, "openSync");
    await client.makeDirectory({ path: `/data${"/d".repeat(200)}`, parents: true });
    expect(opens.mock.calls.length).toBeLessThanOrEqual(200);
  });

  test("links lead no deeper either", async () => {
    mount("disk");
    const path = join(folder, ...Array<string>(200).fill("d"));
    mkdirSync(path, { recursive: true });
    mkdirSync(join(folder, "l"));
    renameSync(join(folder, "d"), join(folder, "l/d"));
    const { symlinkSync } = await import("node:fs");
    symlinkSync(`l${"/d".repeat(200)}`, join(folder, "link"));
    mkdirSync(join(folder, "l", ...Array<string>(200).fill("d"), ...Array<string>(100).fill("e")), {
      recursive: true,
    });
    expect(await codeOf(client.stat({ path: "/data/link/e" }))).toBe(0);
    expect(await codeOf(client.stat({ path: `/data/link${"/e".repeat(100)}` }))).toBe(
      Code.InvalidArgument,
    );
  });

  test("names that are no UTF-8 are removed with their directory, be they of files or directories", async () => {
    mount("disk");
    const bytes = (...names: (string | number)[]): Buffer =>
      Buffer.concat([
        Buffer.from(`${folder}/`),
        ...names.map((name) => (typeof name === "number" ? Buffer.of(name) : Buffer.from(name))),
      ]);
    mkdirSync(bytes("sub"));
    mkdirSync(bytes("sub/", 0xff));
    writeFileSync(bytes("sub/", 0xff, "/", 0xfe), "x");
    writeFileSync(bytes("sub/", 0xc3), "x");
    await client.remove({ path: "/data/sub", recursive: true });
    expect(readdirSync(folder)).toEqual([]);
  });

  test("a call that waits for the disk holds the one directory that it needs, and counts as a handle, given up or not", async () => {
    mount("disk", 20);
    const path = `/data${"/d".repeat(100)}`;
    await client.makeDirectory({ path, parents: true });
    const before = open();
    const late: (() => void)[] = [];
    vi.spyOn(hostFileSystem, "fsync").mockImplementation((_, done) => {
      late.push(() => done(null));
    });
    const write = async (i: number): Promise<Code | 0> =>
      codeOf(client.writeFile({ path: `${path}/${i}`, sync: true }, { timeoutMs: 5 }));
    const codes: (Code | 0)[] = [];
    for (let i = 0; i < 15; i++) codes.push(await write(i));
    const { handle } = await client.open({ path: `${path}/f`, write: true, create: true });
    for (let i = 0; i < 10; i++)
      codes.push(await codeOf(client.sync({ handle }, { timeoutMs: 5 })));
    expect(codes.filter((code) => code === Code.DeadlineExceeded)).toHaveLength(19);
    expect(codes.slice(19)).toEqual(Array(6).fill(Code.ResourceExhausted));
    for (const call of [
      client.copy({ from: `${path}/f`, to: "/data/g" }),
      client.remove({ path: "/data/d", recursive: true }),
      client.open({ path: `${path}/f`, read: true }),
    ])
      expect(await codeOf(call)).toBe(Code.ResourceExhausted);
    expect(open() - before).toBeLessThanOrEqual(2 * 20);
    while (late.length > 0) {
      late.pop()?.();
      await new Promise(setImmediate);
    }
    expect(open() - before).toBe(1);
    expect(await codeOf(client.copy({ from: `${path}/f`, to: "/data/g" }))).toBe(0);
  });
});
