import {
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Client, Code, ConnectError } from "@connectrpc/connect";
import { type InMemory, inMemory } from "@dropthrough/dispatch/testing";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { file, type FileOptions, type FileService } from "../src/index.ts";

let base: string;
let memory: InMemory<typeof FileService>;
let client: Client<typeof FileService>;

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "dropthrough-shared-"));
  mkdirSync(join(base, "data/sub/deep"), { recursive: true });
  symlinkSync("data", join(base, "alias"));
});
afterEach(async () => {
  await memory[Symbol.asyncDispose]();
  rmSync(base, { recursive: true, force: true });
});

function mount(mounts: FileOptions["mounts"]): void {
  memory = inMemory(file({ mounts }));
  client = memory.client();
}

const at = (path: string, quota?: number, entries?: number) => ({
  path: join(base, path),
  write: true,
  ...(quota !== undefined && { quota }),
  ...(entries !== undefined && { entries }),
});

async function codeOf(promise: Promise<unknown>): Promise<Code | 0> {
  return promise.then(
    () => 0,
    (error: unknown) => ConnectError.from(error).code,
  );
}

const put = async (path: string, size: number): Promise<Code | 0> =>
  codeOf(client.writeFile({ path, data: new Uint8Array(size) }));

describe("two mounts of one folder", () => {
  test("share one quota, the smaller one, also by a link", async () => {
    mount({ "/a": at("data", 2000), "/b": at("alias", 1000) });
    expect(await put("/a/1", 600)).toBe(0);
    expect(await put("/b/2", 400)).toBe(0);
    expect(await put("/a/3", 1)).toBe(Code.ResourceExhausted);
    await client.remove({ path: "/b/1" });
    expect(await put("/a/3", 600)).toBe(0);
    expect(await put("/b/4", 1)).toBe(Code.ResourceExhausted);
  });

  test("share it if only one of them has it", async () => {
    mount({ "/a": at("data", undefined, 4), "/b": at("data") });
    expect(await put("/b/1", 0)).toBe(0);
    expect(await codeOf(client.makeDirectory({ path: "/b/2" }))).toBe(0);
    expect(await put("/b/3", 0)).toBe(Code.ResourceExhausted);
  });

  test("know that a file which one of them has open is not gone when it is removed by the other", async () => {
    mount({ "/a": at("data", 1000), "/b": at("data", 1000) });
    const { handle } = await client.open({ path: "/a/f", write: true, create: true });
    await client.write({ handle, data: new Uint8Array(800) });
    await client.remove({ path: "/b/f" });
    expect(await put("/b/g", 300)).toBe(Code.ResourceExhausted);
    await client.close({ handle });
    expect(await put("/b/g", 1000)).toBe(0);
  });
});

describe("a mount of a folder inside of another", () => {
  beforeEach(() =>
    mount({ "/all": at("data", 1000), "/sub": at("data/sub", 300), "/deep": at("data/sub/deep") }),
  );

  test("counts in both, by whichever it is written", async () => {
    expect(await put("/sub/1", 100)).toBe(0);
    expect(await put("/all/sub/2", 100)).toBe(0);
    expect(await put("/deep/3", 100)).toBe(0);
    for (const path of ["/sub/4", "/all/sub/4", "/deep/4", "/all/sub/deep/4", "/all/sub/deep/../4"])
      expect(await put(path, 1), path).toBe(Code.ResourceExhausted);
    expect(await put("/all/5", 701)).toBe(Code.ResourceExhausted);
    expect(await put("/all/5", 700)).toBe(0);
    await client.remove({ path: "/all/sub/deep", recursive: true });
    expect(await put("/sub/7", 100)).toBe(0);
    expect(await put("/sub/4", 1)).toBe(Code.ResourceExhausted);
    expect(await put("/all/6", 1)).toBe(Code.ResourceExhausted);
  });

  test("takes nothing by Rename that did not count in it, nor gives it away", async () => {
    await put("/all/big", 900);
    await put("/sub/small", 10);
    expect(await codeOf(client.rename({ from: "/all/big", to: "/all/sub/big" }))).toBe(
      Code.FailedPrecondition,
    );
    expect(await codeOf(client.rename({ from: "/all/sub/small", to: "/all/small" }))).toBe(
      Code.FailedPrecondition,
    );
    expect(await codeOf(client.rename({ from: "/all/sub/small", to: "/all/sub/deep/s" }))).toBe(0);
    expect(await codeOf(client.rename({ from: "/all/sub", to: "/all/moved" }))).toBe(0);
    // It is another name, and still the folder that has the quota.
    expect(await put("/all/moved/x", 91)).toBe(Code.ResourceExhausted);
    await client.remove({ path: "/all/big" });
    expect(await put("/all/moved/x", 291)).toBe(Code.ResourceExhausted);
    expect(await put("/all/moved/x", 290)).toBe(0);
  });

  test("keeps what is open in it to its quota", async () => {
    const { handle } = await client.open({ path: "/all/sub/f", write: true, create: true });
    expect(await codeOf(client.truncate({ handle, size: 301n }))).toBe(Code.ResourceExhausted);
    await client.write({ handle, data: new Uint8Array(300) });
    expect(await put("/sub/g", 1)).toBe(Code.ResourceExhausted);
    await client.remove({ path: "/sub/f" });
    expect(await put("/sub/g", 1)).toBe(Code.ResourceExhausted);
    await client.close({ handle });
    expect(await put("/sub/g", 300)).toBe(0);
  });
});

describe("Copy of a file onto itself", () => {
  test.each([
    ["by two mounts of one folder", "/a/f", "/b/f"],
    ["by a mount inside of another", "/a/sub/f", "/sub/f"],
    ["by a hard link", "/a/f", "/a/link"],
    ["by a hard link in another mount", "/link", "/a/f"],
    ["by a mount of the file alone", "/a/f", "/one"],
    ["by a link to it", "/a/soft", "/a/f"],
  ])("%s changes nothing, and answers its size", async (_, from, to) => {
    for (const path of ["data/f", "data/sub/f"]) writeFileSync(join(base, path), "content");
    mkdirSync(join(base, "links"));
    linkSync(join(base, "data/f"), join(base, "data/link"));
    linkSync(join(base, "data/f"), join(base, "links/f"));
    symlinkSync("f", join(base, "data/soft"));
    mount({
      "/a": at("data"),
      "/b": at("data"),
      "/sub": at("data/sub"),
      "/link": at("links/f"),
      "/one": at("data/f"),
    });
    const before = statSync(join(base, "data/f")).mtimeMs;
    expect((await client.copy({ from, to })).size).toBe(7n);
    expect(readFileSync(join(base, "data/f"), "utf8")).toBe("content");
    expect(readFileSync(join(base, "data/sub/f"), "utf8")).toBe("content");
    expect(statSync(join(base, "data/f")).mtimeMs).toBe(before);
  });
});

test("a file with two names counts once, and is free with the last of them", async () => {
  writeFileSync(join(base, "data/f"), "x".repeat(600));
  linkSync(join(base, "data/f"), join(base, "data/g"));
  mount({ "/a": at("data", 1000) });
  expect(await put("/a/h", 400)).toBe(0);
  await client.remove({ path: "/a/f" });
  expect(await put("/a/i", 1)).toBe(Code.ResourceExhausted);
  await client.remove({ path: "/a/g" });
  expect(await put("/a/i", 600)).toBe(0);
});

test("a file that was open and removed before anything was written counts until it is closed, and no longer", async () => {
  writeFileSync(join(base, "data/f"), "x".repeat(600));
  mount({ "/a": at("data", 1000) });
  const { handle } = await client.open({ path: "/a/f", read: true });
  await client.remove({ path: "/a/f" });
  expect(await put("/a/g", 401)).toBe(Code.ResourceExhausted);
  expect(await put("/a/g", 400)).toBe(0);
  await client.close({ handle });
  expect(await put("/a/h", 601)).toBe(Code.ResourceExhausted);
  expect(await put("/a/h", 600)).toBe(0);
});

test("a recursive Remove gives back what its files are when they go, not what they were when it began", async () => {
  mount({ "/a": at("data", 100_000) });
  for (let i = 0; i < 450; i++) await put(`/a/sub/${String(i).padStart(3, "0")}`, 100);
  const { handle } = await client.open({ path: "/a/sub/deep/late", write: true, create: true });
  const removed = client.remove({ path: "/a/sub", recursive: true });
  // While it lets others have their turn.
  await client.write({ handle, data: new Uint8Array(5000) });
  const grown = ["430", "440"].map(async (name) => put(`/a/sub/${name}`, 2000));
  expect(await Promise.all(grown)).toEqual([0, 0]);
  await codeOf(removed);
  await codeOf(client.remove({ path: "/a/sub", recursive: true }));
  await client.close({ handle });
  expect(await put("/a/all", 100_001)).toBe(Code.ResourceExhausted);
  expect(await put("/a/all", 100_000)).toBe(0);
});
