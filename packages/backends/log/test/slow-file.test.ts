import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { expect, onTestFinished, test } from "vitest";
import { fileLog, linesOf, say } from "./file-log.ts";

/** Makes every write of lines take so long, until the test ends. */
function slowDown(ms: number): { ms: number; held: number } {
  const disk = { ms, held: 0 };
  const { writevSync, writev } = fs;
  const restore = (): void => {
    Object.assign(fs, { writevSync, writev });
    syncBuiltinESMExports();
  };
  Object.assign(fs, {
    writevSync: (fd: number, lines: Uint8Array[]): number => {
      disk.held++;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, disk.ms);
      return writevSync(fd, lines);
    },
    writev: (
      fd: number,
      lines: Uint8Array[],
      done: (error: Error | null, written: number) => void,
    ): void => void setTimeout(() => writev(fd, lines, done), disk.ms),
  });
  syncBuiltinESMExports();
  onTestFinished(restore);
  return disk;
}

const numbers = (count: number): string[] => Array.from({ length: count }, (_, i) => `${i}`);

test("a file that is slow holds guests up for one line; then lines wait behind their backs, in order, until it is fast again", async () => {
  const file = fileLog();
  const disk = slowDown(80);
  const messages = (): unknown[] => file.lines().map(({ msg }) => msg);
  for (const message of numbers(1_500)) await say(file, message);
  expect(disk.held).toBe(1);
  expect(messages().length).toBeLessThan(1_500);
  await expect.poll(messages).toEqual(numbers(1_500));
  expect(file.backend.counts()).toMatchObject({ written: 1_500, lost: 0 });

  disk.ms = 0;
  await say(file, "1500");
  await expect.poll(messages).toEqual(numbers(1_501));
  await say(file, "1501");
  expect(messages(), "it stands there before Write answers, as ever").toEqual(numbers(1_502));
  expect(disk.held).toBe(2);
});

test("a file that is slow loses what is above the bound, and says how much; what waits when the host ends is written", async () => {
  const file = fileLog({ limits: { bufferBytes: 10_000 } });
  const disk = slowDown(80);
  for (const message of numbers(500)) await say(file, message);
  const { lost } = file.backend.counts();
  expect(lost).toBeGreaterThan(300);
  expect(await file.backend.health?.()).toEqual({
    ok: false,
    message: `${lost} lines were lost`,
  });
  await expect
    .poll(() => file.lines().at(-1)?.["msg"])
    .toBe(`${lost} lines were lost: the log's sink did not take them`);
  expect(await file.backend.health?.()).toEqual({ ok: true });
  await say(file, "last");
  await file.memory[Symbol.asyncDispose]();
  expect(file.lines().at(-1)?.["msg"]).toBe("last");
  expect(file.backend.counts().lost).toBe(lost);
  expect(disk.held).toBe(1);
});

test("a file that is so slow that nothing is taken for a second is not healthy; renamed meanwhile, it still has what it was given, and the rest goes to the next", async () => {
  const file = fileLog();
  const disk = slowDown(80);
  await say(file, "0");
  disk.ms = 2_500;
  await say(file, "1");
  await say(file, "2");
  const old = `${file.path}.1`;
  fs.renameSync(file.path, old);
  await expect
    .poll(() => file.backend.health?.())
    .toEqual({
      ok: false,
      message: expect.stringMatching(/^writing takes long: \d+ bytes wait$/) as string,
    });
  disk.ms = 0;
  const inFile = (path: string): unknown[] =>
    fs.existsSync(path) ? linesOf(fs.readFileSync(path, "utf8")).map(({ msg }) => msg) : [];
  await expect.poll(() => inFile(file.path)).toEqual(["2"]);
  expect(inFile(old)).toEqual(["0", "1"]);
  expect(await file.backend.health?.()).toEqual({ ok: true });
  expect(file.backend.counts()).toMatchObject({ written: 3, lost: 0 });
});
