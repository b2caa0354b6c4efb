import { execFileSync } from "node:child_process";
import { closeSync, constants, openSync, readFileSync, readSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { describe, expect, test } from "vitest";
import { Level, log } from "../src/index.ts";
import { fileLog, linesOf, logInto, say, scratch } from "./file-log.ts";

/** A named pipe. */
function fifo(): string {
  const path = join(scratch(), "fifo");
  execFileSync("mkfifo", [path]);
  return path;
}

/** Opens the end of a named pipe that is read from. */
function openReader(path: string): number {
  return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
}

/** Takes what a pipe holds now. */
function take(fd: number): string {
  const bytes = Buffer.alloc(1 << 20);
  let text = "";
  for (;;) {
    try {
      const count = readSync(fd, bytes);
      if (count === 0) return text;
      text += bytes.toString("utf8", 0, count);
    } catch {
      return text;
    }
  }
}

describe("a file", () => {
  test("holds a line before Write answers, so that it outlives a crash of the host", async () => {
    const file = fileLog();
    for (let i = 0; i < 3; i++) {
      await say(file, `${i}`);
      expect(file.lines()).toHaveLength(i + 1);
    }
  });

  test("is appended to", async () => {
    const first = fileLog();
    await say(first, "old");
    await say(logInto(first.path), "new");
    expect(first.lines().map((line) => line["msg"])).toEqual(["old", "new"]);
  });

  test("whose last line was never ended keeps it apart from the next one", async () => {
    const path = join(scratch(), "torn");
    writeFileSync(path, '{"msg":"to');
    await say(logInto(path), "whole");
    await say(logInto(path), "next");
    const [torn, ...others] = readFileSync(path, "utf8").trimEnd().split("\n");
    expect(torn).toBe('{"msg":"to');
    expect(linesOf(others.join("\n")).map((line) => line["msg"])).toEqual(["whole", "next"]);
  });

  test("that cannot be opened is an error at once", () => {
    expect(() => log({ file: join(scratch(), "absent", "log") })).toThrow("ENOENT");
    expect(() => log({ file: scratch() })).toThrow("EISDIR");
    expect(() => log({ file: "log", stream: new PassThrough() })).toThrow("give it one of them");
  });

  test("on a full disk shows in health, answers guests as ever, and loses nothing within its bound", async () => {
    const full = logInto("/dev/full", { limits: { bufferBytes: 1_000 } });
    for (let i = 0; i < 50; i++) await say(full, `${i}`);
    const { written, lost } = full.backend.counts();
    expect(written + lost).toBe(50);
    expect(lost).toBeGreaterThan(0);
    expect(await full.backend.health?.()).toEqual({
      ok: false,
      message: `writing fails: ENOSPC: no space left on device, write; ${lost} lines were lost`,
    });
    await full.memory[Symbol.asyncDispose]();
    expect(full.backend.counts().lost).toBe(lost + written);
  });
});

describe("a pipe", () => {
  test("that nobody reads blocks nobody; when somebody does, all lines come, in order", async () => {
    const path = fifo();
    const reader = openReader(path);
    const piped = logInto(path);
    for (let i = 0; i < 300; i++) await say(piped, `${i} ${"x".repeat(1_000)}`);
    expect(piped.backend.counts()).toMatchObject({ written: 300, lost: 0 });
    let text = "";
    await expect
      .poll(() => {
        text += take(reader);
        return text.split("\n").length;
      })
      .toBe(301);
    expect(linesOf(text).map((line) => Number.parseInt(String(line["msg"]), 10))).toEqual(
      Array.from({ length: 300 }, (_, i) => i),
    );
    expect(await piped.backend.health?.()).toEqual({ ok: true });
    closeSync(reader);
  });

  test("that was full goes on while a guest never lets go of the thread", () => {
    const path = fifo();
    const reader = openReader(path);
    const piped = logInto(path, { limits: { recordsPerSecond: 1e9, bytesPerSecond: 1e9 } });
    const client = piped.memory.client("a");
    // No await from here: no timer and no thread of Node's pool can help.
    const write = (message: string): void =>
      void client.write({ record: { level: Level.INFO, message } });
    for (let i = 0; i < 100; i++) write(`${i} ${"x".repeat(1_000)}`);
    let text = take(reader);
    expect(text).not.toContain('"99 xxx');
    for (let i = 0; i < 100_000 && !text.includes('"99 xxx'); i++) {
      write("tick");
      text += take(reader);
    }
    expect(text).toContain('"99 xxx');
    closeSync(reader);
  });

  test("that is full loses what is above the bound, and says how much when it goes on", async () => {
    const path = fifo();
    const reader = openReader(path);
    const piped = logInto(path, { limits: { bufferBytes: 10_000 } });
    for (let i = 0; i < 200; i++) await say(piped, "x".repeat(1_000));
    const { lost } = piped.backend.counts();
    expect(lost).toBeGreaterThan(100);
    expect(await piped.backend.health?.()).toEqual({
      ok: false,
      message: `${lost} lines were lost`,
    });
    let text = "";
    await expect
      .poll(() => {
        text += take(reader);
        return text;
      })
      .toContain(`"msg":"${lost} lines were lost: the log's sink did not take them"`);
    expect(linesOf(text)).toHaveLength(200 - lost + 1);
    expect(await piped.backend.health?.()).toEqual({ ok: true });
    await say(piped, "after");
    expect(linesOf(take(reader)).map((line) => line["msg"])).toEqual(["after"]);
    closeSync(reader);
  });

  test("whose reader stands still for a second is not healthy, though nothing is lost yet", async () => {
    const path = fifo();
    const reader = openReader(path);
    const piped = logInto(path);
    for (let i = 0; i < 100; i++) await say(piped, "x".repeat(1_000));
    await expect
      .poll(() => piped.backend.health?.())
      .toMatchObject({
        ok: false,
        message: expect.stringMatching(/^nobody reads: \d+ bytes wait$/) as string,
      });
    closeSync(reader);
  });

  test("that is closed waits for its next reader", async () => {
    const path = fifo();
    const first = openReader(path);
    const piped = logInto(path);
    closeSync(first);
    await say(piped, "while nobody was there");
    expect(await piped.backend.health?.()).toEqual({
      ok: false,
      message: "writing fails: EPIPE: broken pipe, write",
    });
    const second = openReader(path);
    let text = "";
    await expect
      .poll(() => {
        text += take(second);
        return text;
      })
      .toContain("while nobody was there");
    expect(await piped.backend.health?.()).toEqual({ ok: true });
    closeSync(second);
  });
});

test("a pipe whose reader goes after half of a line has that line whole for the next one", async () => {
  const path = fifo();
  const first = openReader(path);
  const piped = logInto(path);
  // A pipe takes a short line whole, or not at all.
  for (let i = 0; i < 30; i++) await say(piped, `${i} ${"x".repeat(9_000)}`);
  const before = take(first).split("\n");
  closeSync(first);
  const torn = before.pop() ?? "";
  expect(torn).toMatch(/^\{"level":30/);
  await expect
    .poll(() => piped.backend.health?.())
    .toMatchObject({ message: expect.stringContaining("EPIPE") as string });
  const second = openReader(path);
  let after = "";
  await expect
    .poll(() => (after += take(second)).match(/"msg":"\d+ xxx/g)?.length)
    .toBe(30 - before.length);
  expect(after.endsWith("\n")).toBe(true);
  const numbers = linesOf([...before, after].join("\n")).map(({ msg }) =>
    Number.parseInt(String(msg), 10),
  );
  expect(numbers).toEqual(Array.from({ length: 30 }, (_, i) => i));
  closeSync(second);
});
