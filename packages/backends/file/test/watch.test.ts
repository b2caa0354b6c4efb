import fs, {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { fork } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Client, Code, ConnectError } from "@connectrpc/connect";
import { type InMemory, inMemory, ManualClock } from "@dropthrough/dispatch/testing";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { hostFileSystem } from "../src/file-system.ts";
import {
  file,
  FileEventType,
  type FileLimits,
  type FileOptions,
  type FileService,
} from "../src/index.ts";

let base: string;
let memory: InMemory<typeof FileService>;
let client: Client<typeof FileService>;

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "dropthrough-watch-"));
  mkdirSync(join(base, "data"));
  mkdirSync(join(base, "outside"));
});
afterEach(async () => {
  await memory[Symbol.asyncDispose]();
  rmSync(base, { recursive: true, force: true });
});

function mount(
  kind: "disk" | "memory",
  limits?: Partial<FileLimits>,
  more?: Partial<FileOptions>,
): void {
  const data = kind === "disk" ? { path: inside(), write: true } : { memory: true as const };
  memory = inMemory(
    file({
      mounts: { "/data": data, ...more?.mounts },
      limits: { ...limits },
      ...(more?.clock && { clock: more.clock }),
    }),
  );
  client = memory.client();
}

function inside(path = ""): string {
  return join(base, "data", path);
}

async function codeOf(promise: Promise<unknown>): Promise<Code | 0> {
  return promise.then(
    () => 0,
    (error: unknown) => ConnectError.from(error).code,
  );
}

const put = async (path: string, text = "x"): Promise<void> =>
  void (await client.writeFile({ path, data: Buffer.from(text) }));
const watch = async (path: string, recursive = false, buffer = 0): Promise<bigint> =>
  (await client.watch({ path, recursive, buffer })).watch;

const TYPES = new Map<number, string>(
  Object.entries(FileEventType).map(([name, type]) => [type as number, name]),
);

/** Reads until something was told of each path; answers what was told last of each, in the order in which it came. */
async function told(number: bigint, ...paths: string[]): Promise<string[]> {
  const last = new Map<string, string>();
  while (!paths.every((path) => last.has(path))) {
    const { events } = await client.readEvents({ watch: number, waitMs: 10_000 });
    expect(events.length, `nothing of ${paths.join()}, but ${[...last].join()}`).toBeGreaterThan(0);
    for (const { path, type } of events) last.set(path, TYPES.get(type) ?? "");
  }
  return [...last].map(([path, type]) => `${type} ${path}`);
}

/** What the process watches, and holds open. */
function held(): { watches: number; descriptors: number } {
  const descriptors = readdirSync("/proc/self/fd");
  const inotify = descriptors.filter((fd) => linkOf(fd) === "anon_inode:inotify");
  const watches = inotify.flatMap(
    (fd) => readFileSync(`/proc/self/fdinfo/${fd}`, "utf8").match(/^inotify wd:/gm) ?? [],
  );
  return { watches: watches.length, descriptors: descriptors.length - inotify.length };
}

function linkOf(fd: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return "";
  }
}

describe.each(["disk", "memory"] as const)("a watch of a %s mount", (kind) => {
  beforeEach(() => mount(kind));

  test("tells what came, changed and went, each name once", async () => {
    await put("/data/old");
    const number = await watch("/data");
    await put("/data/new");
    expect(await told(number, "new")).toEqual(["CREATED new"]);
    const { handle } = await client.open({ path: "/data/old", write: true });
    for (let i = 0; i < 100; i++) await client.write({ handle, data: Buffer.from("x") });
    expect(await told(number, "old")).toEqual(["CHANGED old"]);
    await client.close({ handle });
    await client.remove({ path: "/data/old" });
    expect(await told(number, "old")).toEqual(["REMOVED old"]);
    await client.rename({ from: "/data/new", to: "/data/moved" });
    expect(await told(number, "new", "moved")).toEqual(["REMOVED new", "CREATED moved"]);
    await client.makeDirectory({ path: "/data/d" });
    expect(await told(number, "d")).toEqual(["CREATED d"]);
    await put("/data/d/deep");
    await put("/data/end");
    expect((await told(number, "end")).filter((text) => text.includes("deep"))).toEqual([]);
  });

  test("tells of what is below, if it is recursive, in directories that were there and in those that come", async () => {
    await client.makeDirectory({ path: "/data/a/b", parents: true });
    const number = await watch("/data", true);
    await put("/data/a/b/1");
    expect(await told(number, "a/b/1")).toEqual(["CREATED a/b/1"]);
    await client.makeDirectory({ path: "/data/c" });
    await client.makeDirectory({ path: "/data/c/d" });
    await put("/data/c/d/2");
    expect(await told(number, "c/d/2")).toContain("CREATED c/d/2");
    await client.rename({ from: "/data/a", to: "/data/z" });
    expect(await told(number, "a", "z", "z/b", "z/b/1")).toEqual(
      expect.arrayContaining(["REMOVED a", "CREATED z", "CREATED z/b", "CREATED z/b/1"]),
    );
    await put("/data/z/b/3");
    expect(await told(number, "z/b/3")).toContain("CREATED z/b/3");
    await client.remove({ path: "/data/c", recursive: true });
    expect(await told(number, "c", "c/d/2")).toContain("REMOVED c/d/2");
  });

  test("that nobody reads keeps as many names as it was to, and says how many it lost", async () => {
    const number = await watch("/data", false, 3);
    for (let i = 0; i < 10; i++) await put(`/data/${i}`);
    await expect
      .poll(async () => (await client.readEvents({ watch: number, most: 1 })).events[0]?.path)
      .toBe("7");
    expect(await client.readEvents({ watch: number, most: 1 })).toMatchObject({
      events: [{ path: "8" }],
      lost: 0n,
    });
    const second = await watch("/data", false, 2);
    for (const name of ["a", "b", "c"]) await put(`/data/${name}`);
    await told(number, "c");
    await new Promise(setImmediate);
    expect(await client.readEvents({ watch: second })).toMatchObject({
      events: [{ path: "b" }, { path: "c" }],
      lost: 1n,
    });
  });

  test("keeps 256 KiB of names at most", async () => {
    const number = await watch("/data", false, 16_384);
    for (let i = 0; i < 1200; i++) await put(`/data/${"n".repeat(246)}${1000 + i}`);
    await put("/data/last");
    await expect
      .poll(async () => (await client.readEvents({ watch: number, most: 1 })).lost, {
        timeout: 5000,
      })
      .toBeGreaterThan(100n);
    const { events } = await client.readEvents({ watch: number, most: 16_384 });
    expect(events.length).toBeGreaterThan(1000);
    expect(events.length).toBeLessThanOrEqual(1048);
  });

  test("waits for the first event, no longer than it is to, and for one reader", async () => {
    const number = await watch("/data");
    expect((await client.readEvents({ watch: number })).events).toEqual([]);
    expect((await client.readEvents({ watch: number, waitMs: 5 })).events).toEqual([]);
    const waiting = client.readEvents({ watch: number, waitMs: 10_000 });
    expect(await codeOf(client.readEvents({ watch: number, waitMs: 1 }))).toBe(
      Code.FailedPrecondition,
    );
    await put("/data/a");
    expect((await waiting).events.map(({ path }) => path)).toEqual(["a"]);
    await client.readEvents({ watch: number });
    // Its deadline is one bound more; what comes later is for the next.
    expect(
      await codeOf(client.readEvents({ watch: number, waitMs: 10_000 }, { timeoutMs: 30 })),
    ).toBe(Code.DeadlineExceeded);
    await put("/data/b");
    expect(await told(number, "b")).toContain("CREATED b");
    const cut = codeOf(client.readEvents({ watch: number, waitMs: 10_000 }));
    await client.endWatch({ watch: number });
    expect(await cut).toBe(Code.NotFound);
    expect(await codeOf(client.endWatch({ watch: number }))).toBe(Code.NotFound);
  });

  test("tells that its directory is gone, and has ended then", async () => {
    await client.makeDirectory({ path: "/data/d" });
    await put("/data/d/f");
    const number = await watch("/data/d", true);
    await client.remove({ path: "/data/d", recursive: true });
    expect(await told(number, "f", "")).toEqual(["REMOVED f", "REMOVED "]);
    expect(await codeOf(client.readEvents({ watch: number }))).toBe(Code.NotFound);
  });

  test("is bounded in number, each directory counted, and a tree that is too large is not watched in part", async () => {
    await memory[Symbol.asyncDispose]();
    mount(kind, { watches: 4 });
    for (const name of ["a", "b", "c", "d"]) await client.makeDirectory({ path: `/data/${name}` });
    expect(await codeOf(watch("/data", true))).toBe(Code.ResourceExhausted);
    const numbers = [await watch("/data/a"), await watch("/data/a"), await watch("/data/b")];
    const tree = await watch("/data/c", true);
    expect(await codeOf(watch("/data"))).toBe(Code.ResourceExhausted);
    await client.makeDirectory({ path: "/data/c/new" });
    await put("/data/c/new/unseen");
    let unwatched = 0;
    while (unwatched === 0) {
      ({ unwatched } = await client.readEvents({ watch: tree, waitMs: 10_000 }));
    }
    expect(unwatched).toBe(1);
    for (const number of numbers) await client.endWatch({ watch: number });
    await client.endWatch({ watch: tree });
    expect(await codeOf(watch("/data/c", true))).toBe(0);
  });

  test("is refused for what is no directory, and above its bounds", async () => {
    await put("/data/f");
    expect(await codeOf(watch("/data/f"))).toBe(Code.FailedPrecondition);
    expect(await codeOf(watch("/data/none"))).toBe(Code.NotFound);
    expect(await codeOf(watch("/data/.."))).toBe(Code.PermissionDenied);
    expect(await codeOf(watch("/data", false, 16_385))).toBe(Code.InvalidArgument);
    const number = await watch("/data");
    expect(await codeOf(client.readEvents({ watch: number, most: 16_385 }))).toBe(
      Code.InvalidArgument,
    );
    expect(await codeOf(client.readEvents({ watch: number, waitMs: 60_001 }))).toBe(
      Code.InvalidArgument,
    );
    expect(await codeOf(client.readEvents({ watch: number + 1n }))).toBe(Code.NotFound);
    expect(await codeOf(memory.client("other").readEvents({ watch: number }))).toBe(Code.NotFound);
  });

  test("that is not read for long has ended, and one that is waited for has not", async () => {
    await memory[Symbol.asyncDispose]();
    const clock = new ManualClock();
    mount(kind, { idleMs: 1000 }, { clock });
    const [idle, used] = [await watch("/data"), await watch("/data")];
    for (let i = 0; i < 4; i++) {
      const waiting = client.readEvents({ watch: used, waitMs: 900 });
      clock.advance(900);
      expect((await waiting).events).toEqual([]);
    }
    expect(await codeOf(client.readEvents({ watch: idle }))).toBe(Code.NotFound);
    expect(await codeOf(client.readEvents({ watch: used }))).toBe(0);
  });
});

test("a watch hears a number of events in one turn, says that it lost the rest, and goes on in the next", async () => {
  mount("memory");
  await put("/data/busy");
  await client.makeDirectory({ path: "/data/d" });
  const number = await watch("/data", true);
  const { handle } = await client.open({ path: "/data/busy", write: true });
  for (let i = 0; i < 17_000; i++) await client.write({ handle, data: Buffer.from("x") });
  await client.makeDirectory({ path: "/data/unheard" });
  const { events, lost } = await client.readEvents({ watch: number });
  expect(events.map(({ path }) => path)).toEqual(["busy"]);
  expect(lost).toBeGreaterThan(0n);
  await new Promise(setImmediate);
  await put("/data/unheard/f");
  expect(await told(number, "unheard/f")).toContain("CREATED unheard/f");
});

describe("a watch of a folder of the host", () => {
  beforeEach(() => mount("disk"));

  test("tells what others do in it, and a WriteFile as one event, whatever it writes beside", async () => {
    const number = await watch("/data");
    writeFileSync(inside("theirs"), "x");
    expect(await told(number, "theirs")).toEqual(["CREATED theirs"]);
    await client.writeFile({ path: "/data/a", data: Buffer.from("x"), sync: true });
    expect(await told(number, "a")).toEqual(["CREATED a"]);
  });

  test("is of the directory that it began with, whatever link is put in its place", async () => {
    mkdirSync(inside("d/sub"), { recursive: true });
    const number = await watch("/data/d", true);
    renameSync(inside("d"), inside("moved"));
    symlinkSync("../outside", inside("d"));
    renameSync(inside("moved/sub"), inside("elsewhere"));
    symlinkSync("../../outside", inside("moved/sub"));
    await told(number, "sub");
    writeFileSync(join(base, "outside/secret"), "SECRET");
    writeFileSync(inside("elsewhere/no-longer-below"), "x");
    writeFileSync(inside("moved/mine"), "x");
    expect(await told(number, "mine")).toEqual(["CREATED mine"]);
    expect(await codeOf(watch("/data/d"))).toBe(Code.PermissionDenied);
    expect(await codeOf(watch("/data/moved/sub"))).toBe(Code.PermissionDenied);
  });

  test.each([
    ["is removed", () => rmSync(inside("sub"), { recursive: true })],
    [
      "becomes a link",
      () => {
        rmSync(inside("sub"), { recursive: true });
        symlinkSync("../outside", inside("sub"));
      },
    ],
    [
      "becomes a file",
      () => {
        rmSync(inside("sub"), { recursive: true });
        writeFileSync(inside("sub"), "");
      },
    ],
  ])("begins where a folder below %s after it was listed, and tells of it", async (_, change) => {
    mkdirSync(inside("sub/deeper"), { recursive: true });
    mkdirSync(inside("other"));
    const list = fs.readdirSync as (...args: unknown[]) => string[];
    vi.spyOn(hostFileSystem, "readdirSync").mockImplementationOnce(((...args: unknown[]) => {
      const entries = list(...args);
      change();
      return entries;
    }) as never);
    const number = await watch("/data", true).finally(() => vi.restoreAllMocks());
    writeFileSync(inside("other/mine"), "");
    writeFileSync(join(base, "outside/secret"), "");
    const paths = new Set<string>();
    while (!(paths.has("sub") && paths.has("other/mine"))) {
      const { events } = await client.readEvents({ watch: number, waitMs: 1000 });
      for (const { path } of events) paths.add(path);
    }
    expect([...paths].filter((path) => path.includes("secret"))).toEqual([]);
  });

  test("never tells a name from outside while a folder is swapped for a link to there, over and over", async () => {
    mkdirSync(inside("sub"));
    mkdirSync(join(base, "outside/secret-folder"));
    symlinkSync("../outside", inside("evil"));
    const script = join(base, "swap.cjs");
    writeFileSync(
      script,
      `const { renameSync, writeFileSync } = require("node:fs");
      process.chdir(${JSON.stringify(inside())});
      process.on("disconnect", () => process.exit());
      process.send("ready");
      (function swap() {
        for (let i = 0; i < 20; i++) {
          renameSync("sub", "x"); renameSync("evil", "sub");
          writeFileSync("sub/secret-" + i, ""); writeFileSync("x/mine", "");
          renameSync("sub", "evil"); renameSync("x", "sub");
        }
        setImmediate(swap);
      })();`,
    );
    const child = fork(script);
    await new Promise((resolve) => child.once("message", resolve));
    const long = await watch("/data", true);
    const paths = new Set<string>();
    const read = async (number: bigint): Promise<void> => {
      const { events } = await client.readEvents({ watch: number, most: 16_384, waitMs: 1000 });
      for (const { path } of events) paths.add(path);
    };
    for (let i = 0; i < 400; i++) {
      // One that has begun in the middle of it; or has not, where it met the link.
      const short = await watch("/data/sub", true).catch(() => 0n);
      await read(long);
      if (short === 0n) continue;
      await read(short);
      await client.endWatch({ watch: short });
    }
    child.kill();
    await new Promise((resolve) => child.once("exit", resolve));
    expect([...paths].filter((path) => path.includes("secret"))).toEqual([]);
    expect([...paths]).toEqual(expect.arrayContaining(["sub", "evil", "sub/mine", "mine"]));
  }, 60_000);

  test("leaves nothing behind: not ended, not refused, not with its guest", async () => {
    for (const name of ["a/b", "a/c", "d"]) mkdirSync(inside(name), { recursive: true });
    const before = held();
    const one = await watch("/data", true);
    expect(held()).toEqual({ watches: before.watches + 5, descriptors: before.descriptors + 5 });
    mkdirSync(inside("a/new"));
    await told(one, "a/new");
    expect(held().watches).toBe(before.watches + 6);
    rmSync(inside("a"), { recursive: true });
    await told(one, "a");
    await expect
      .poll(async () => (await client.readEvents({ watch: one }), held()))
      .toEqual({
        watches: before.watches + 2,
        descriptors: before.descriptors + 2,
      });
    await client.endWatch({ watch: one });
    expect(held()).toEqual(before);
    for (let i = 0; i < 200; i++) mkdirSync(inside(`many/${i}`), { recursive: true });
    expect(await codeOf(watch("/data", true))).toBe(Code.ResourceExhausted);
    expect(await codeOf(watch("/data/none"))).toBe(Code.NotFound);
    expect(held()).toEqual(before);
    await watch("/data");
    await watch("/data/d", true);
    const waiting = codeOf(client.readEvents({ watch: await watch("/data/many"), waitMs: 10_000 }));
    expect(held().descriptors).toBe(before.descriptors + 3);
    await memory.end();
    expect(await waiting).not.toBe(0);
    expect(held()).toEqual(before);
  });
});
