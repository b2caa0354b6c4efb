import fs, {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { dirname, join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { fileLog, type FileLog, linesOf, say, scratch } from "./file-log.ts";

/** What tools and people do to a log file while it is written. The log looks at its path every second. */

function messages(path: string): unknown[] {
  return linesOf(existsSync(path) ? readFileSync(path, "utf8") : "").map(({ msg }) => msg);
}

/** Writes records, one every now and then, until one stands at the path; answers how many. */
async function sayUntil(file: FileLog, path: string, from: number): Promise<number> {
  let count = 0;
  await expect
    .poll(async () => {
      await say(file, `${from + count++}`);
      return messages(path).length;
    })
    .toBeGreaterThan(0);
  return count;
}

/** The files that this process has open below a folder, or had there when they were removed. */
function openBelow(folder: string): string[] {
  return readdirSync("/proc/self/fd").flatMap((fd) => {
    try {
      const path = readlinkSync(`/proc/self/fd/${fd}`);
      return path.startsWith(folder) ? [path] : [];
    } catch {
      return [];
    }
  });
}

/** Gives the disk room for so many bytes, until the test ends; more can be given. */
function fullDisk(room: number): { room: number } {
  const disk = { room };
  const { writevSync } = fs;
  const restore = (): void => {
    Object.assign(fs, { writevSync });
    syncBuiltinESMExports();
  };
  onTestFinished(restore);
  // Takes what there is room for, as a disk does.
  Object.assign(fs, {
    writevSync: (fd: number, lines: Uint8Array[]): number => {
      const bytes = Buffer.concat(lines).subarray(0, disk.room);
      if (bytes.length === 0) throw Object.assign(new Error("no space"), { code: "ENOSPC" });
      disk.room -= bytes.length;
      return writevSync(fd, [bytes]);
    },
  });
  syncBuiltinESMExports();
  return disk;
}

const upTo = (count: number): string[] => Array.from({ length: count }, (_, i) => `${i}`);

test("a file that is renamed is left for a new one: each record stands in one of both, in order, and the old one is closed", async () => {
  const file = fileLog();
  await say(file, "0");
  const old = `${file.path}.1`;
  renameSync(file.path, old);
  const count = 1 + (await sayUntil(file, file.path, 1));
  const [before, after] = [messages(old), messages(file.path)];
  expect([...before, ...after]).toEqual(upTo(count));
  expect(openBelow(dirname(file.path))).toEqual([file.path]);
  expect(file.backend.counts()).toMatchObject({ written: count, lost: 0 });
  expect(await file.backend.health?.()).toEqual({ ok: true });
});

test("a file that somebody else has put there is appended to", async () => {
  const file = fileLog();
  renameSync(file.path, `${file.path}.1`);
  writeFileSync(file.path, "");
  const count = await sayUntil(file, file.path, 0);
  expect([...messages(`${file.path}.1`), ...messages(file.path)]).toEqual(upTo(count));
});

test("a file that is removed is made again, and so is one behind a link that points elsewhere", async () => {
  const path = join(scratch(), "link");
  const [first, second] = [`${path}.a`, `${path}.b`];
  symlinkSync(first, path);
  const file = fileLog({ file: path });
  await say(file, "first");
  expect(messages(first)).toEqual(["first"]);
  unlinkSync(first);
  await sayUntil(file, first, 0);
  unlinkSync(path);
  symlinkSync(second, path);
  await sayUntil(file, second, 0);
});

test("a file that is cut short goes on at its start", async () => {
  const file = fileLog();
  await say(file, "before");
  truncateSync(file.path);
  await say(file, "after");
  expect(messages(file.path)).toEqual(["after"]);
});

test("while there can be no new file lines go into the old one, and health says so", async () => {
  const file = fileLog();
  const folder = dirname(file.path);
  const old = `${folder}.old`;
  onTestFinished(() => rmSync(old, { recursive: true, force: true }));
  renameSync(folder, old);
  await expect
    .poll(() => file.backend.health?.())
    .toEqual({
      ok: false,
      message: expect.stringMatching(/^lines go to a file that was moved or removed: ENOENT/),
    });
  await say(file, "to the old one");
  expect(messages(join(old, "log"))).toEqual(["to the old one"]);
  mkdirSync(folder);
  mkdirSync(file.path);
  await expect
    .poll(() => file.backend.health?.())
    .toMatchObject({ message: expect.stringContaining("EISDIR") });
  rmSync(file.path, { recursive: true });
  await sayUntil(file, file.path, 0);
  expect(await file.backend.health?.()).toEqual({ ok: true });
});

test("a line of which a full disk took but a part stands whole in the next file, once its disk was rotated away", async () => {
  const file = fileLog();
  const disk = fullDisk(130);
  for (const message of upTo(4)) await say(file, message);
  expect(await file.backend.health?.()).toMatchObject({ ok: false });
  const old = `${file.path}.1`;
  renameSync(file.path, old);
  // Some room for the next try, which may come before the look at the path, and tears the line once more.
  disk.room = 5;
  await expect.poll(() => existsSync(file.path)).toBe(true);
  disk.room = Infinity;
  await expect.poll(() => messages(file.path)).toEqual(["1", "2", "3"]);
  const [whole = "", torn = ""] = readFileSync(old, "utf8").split("\n");
  expect(linesOf(whole).map(({ msg }) => msg)).toEqual(["0"]);
  expect(torn).toMatch(/^\{"level":30/);
  expect(() => linesOf(torn)).toThrow(SyntaxError);
  expect(file.backend.counts()).toMatchObject({ written: 4, lost: 0 });
  expect(await file.backend.health?.()).toEqual({ ok: true });
});

test("a line of which a full disk took but a part stands whole in the file once that was emptied", async () => {
  const file = fileLog();
  const disk = fullDisk(130);
  for (const message of upTo(4)) await say(file, message);
  truncateSync(file.path);
  disk.room = Infinity;
  await expect.poll(() => messages(file.path)).toEqual(["1", "2", "3"]);
  expect(file.backend.counts()).toMatchObject({ written: 4, lost: 0 });
});

test("a file that fails when it is closed, as on a network, ends nothing", async () => {
  const file = fileLog();
  const { closeSync } = fs;
  const failed: number[] = [];
  const restore = (): void => {
    Object.assign(fs, { closeSync });
    syncBuiltinESMExports();
  };
  onTestFinished(restore);
  Object.assign(fs, {
    closeSync: (fd: number): void => {
      closeSync(fd);
      failed.push(fd);
      throw Object.assign(new Error("EIO: i/o error, close"), { code: "EIO" });
    },
  });
  syncBuiltinESMExports();
  renameSync(file.path, `${file.path}.1`);
  await sayUntil(file, file.path, 0);
  expect(await file.backend.health?.()).toEqual({ ok: true });
  await file.memory[Symbol.asyncDispose]();
  expect(failed).toHaveLength(2);
});
