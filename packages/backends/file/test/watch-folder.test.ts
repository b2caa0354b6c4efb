import fs, {
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { fork } from "node:child_process";
import { join } from "node:path";
import { Code } from "@connectrpc/connect";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { hostFileSystem } from "../src/file-system.ts";
import { base, client, codeOf, inside, memory, mount, told, watch } from "./watched.ts";

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
  });

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
