import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Client, Code, ConnectError } from "@connectrpc/connect";
import { type InMemory, inMemory } from "@dropthrough/dispatch/testing";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { hostFileSystem } from "../src/file-system.ts";
import { file, type FileService } from "../src/index.ts";
import { roomBelow } from "../src/room-below.ts";

let folder: string;
let memory: InMemory<typeof FileService> | undefined;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "dropthrough-quota-"))));
afterEach(async () => {
  await memory?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

async function codeOf(promise: Promise<unknown>): Promise<Code | 0> {
  return promise.then(
    () => 0,
    (error: unknown) => ConnectError.from(error).code,
  );
}

const KINDS = ["disk", "memory"] as const;
describe.each(KINDS)("a quota of a %s mount", (kind) => {
  const mount = (most: { quota?: number; entries?: number }): Client<typeof FileService> => {
    const disk = { path: folder, write: true } as const;
    const init = kind === "disk" ? { ...disk, ...most } : { memory: true as const, ...most };
    memory = inMemory(file({ mounts: { "/data": init } }));
    return memory.client();
  };

  test("counts no bytes that are not written, however far behind the end", async () => {
    const client = mount({ quota: 1000 });
    const { handle } = await client.open({ path: "/data/a", write: true, create: true });
    await client.writeAt({ handle, offset: 900n, data: new Uint8Array() });
    await client.seek({ handle, offset: 900n, whence: 1 });
    await client.write({ handle, data: new Uint8Array() });
    expect(await codeOf(client.writeFile({ path: "/data/b", data: new Uint8Array(1000) }))).toBe(0);
  });

  // What WriteFile writes beside the file, while it waits for the disk.
  test.each([
    [
      "removed",
      async (client: Client<typeof FileService>, path: string) => client.remove({ path }),
    ],
    [
      "removed with its directory",
      async (client: Client<typeof FileService>) =>
        client.remove({ path: "/data/d", recursive: true }),
    ],
    [
      "renamed away",
      async (client: Client<typeof FileService>, path: string) =>
        client.rename({ from: path, to: "/data/d/gone" }),
    ],
    [
      "replaced",
      async (client: Client<typeof FileService>, path: string) =>
        client.rename({ from: "/data/mine", to: path }),
    ],
  ])("counts what a WriteFile had written, and somebody has %s meanwhile", async (_, change) => {
    const client = mount({ quota: 2000, entries: 6 });
    const path = "/data/d/f";
    const data = new Uint8Array(300);
    for (const isThere of [false, true, false, true]) {
      await client.makeDirectory({ path: "/data/d" });
      if (isThere) await client.writeFile({ path });
      await client.writeFile({ path: "/data/mine", data: new Uint8Array(7) });
      const writing = codeOf(client.writeFile({ path, data, sync: true }));
      const { entries } = await client.list({ path: "/data/d" });
      const beside = entries.find(({ name }) => name.endsWith(".tmp"))?.name ?? "";
      await change(client, `/data/d/${beside}`);
      expect(await writing).toBe(Code.NotFound);
      await codeOf(client.remove({ path: "/data/d", recursive: true }));
      await codeOf(client.remove({ path: "/data/mine" }));
    }
    const whole = new Uint8Array(2000);
    expect(await codeOf(client.writeFile({ path: "/data/a", data: whole }))).toBe(0);
    for (const name of ["b", "c", "d", "e", "f"])
      await client.makeDirectory({ path: `/data/${name}` });
    expect(await codeOf(client.makeDirectory({ path: "/data/g" }))).toBe(Code.ResourceExhausted);
    expect(await codeOf(client.writeFile({ path: "/data/b/x" }))).toBe(Code.ResourceExhausted);
    const { handle } = await client.open({ path: "/data/a", write: true, append: true });
    expect(await codeOf(client.write({ handle, data }))).toBe(Code.ResourceExhausted);
  });
});

describe("a folder that is there before it is mounted", () => {
  const mount = (most: { quota?: number; entries?: number }): Client<typeof FileService> => {
    memory = inMemory(file({ mounts: { "/data": { path: folder, write: true, ...most } } }));
    return memory.client();
  };

  test("counts each of its entries once, also where the first call replaces one", async () => {
    writeFileSync(join(folder, "f"), "x");
    const client = mount({ entries: 2 });
    await client.writeFile({ path: "/data/f", data: new Uint8Array(5) });
    expect(await codeOf(client.writeFile({ path: "/data/g" }))).toBe(0);
    expect(await codeOf(client.writeFile({ path: "/data/h" }))).toBe(Code.ResourceExhausted);
  });

  test("with more entries than it may have takes bytes, and no entry", async () => {
    for (const name of ["f", "g"]) writeFileSync(join(folder, name), "x");
    const client = mount({ entries: 1 });
    const { handle } = await client.open({ path: "/data/f", write: true });
    expect(await codeOf(client.write({ handle, data: new Uint8Array(5) }))).toBe(0);
    expect(await codeOf(client.writeFile({ path: "/data/f", data: new Uint8Array(9) }))).toBe(0);
    expect(await codeOf(client.writeFile({ path: "/data/h" }))).toBe(Code.ResourceExhausted);
  });

  test("counts what can be read, where a folder below belongs to somebody else", () => {
    for (const name of ["mine", "lost+found"]) {
      mkdirSync(join(folder, name));
      writeFileSync(join(folder, name, "f"), "x".repeat(100));
    }
    const list = hostFileSystem.readdirSync as (...args: unknown[]) => string[];
    vi.spyOn(hostFileSystem, "readdirSync").mockImplementation(((...args: unknown[]) => {
      if (String(args[0]).includes("lost+found"))
        throw Object.assign(new Error("EACCES"), { code: "EACCES" });
      return list(...args);
    }) as never);
    expect(roomBelow(folder, true)).toEqual({ bytes: 100, entries: 3 });
    vi.restoreAllMocks();
  });

  test("counts what is below a path that is longer than the system takes, and leaves no descriptor", () => {
    // As a guest nests it: what is moved into the depths has depths of its own.
    const name = "n".repeat(250);
    const chain = (root: string): string => {
      const path = join(folder, root, ...Array<string>(14).fill(name));
      mkdirSync(path, { recursive: true });
      return path;
    };
    const [outer, inner] = [chain("outer"), chain("inner")];
    writeFileSync(join(inner, "f"), "x".repeat(300));
    renameSync(join(folder, "inner"), join(outer, "inner"));
    const open = readdirSync("/proc/self/fd").length;
    expect(roomBelow(folder, true)).toEqual({ bytes: 300, entries: 31 });
    expect(readdirSync("/proc/self/fd")).toHaveLength(open);
    const client = mount({ quota: 1000 });
    return client.remove({ path: "/data/outer", recursive: true });
  });
});
