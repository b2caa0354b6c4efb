import { execFileSync } from "node:child_process";
import {
  closeSync,
  constants,
  createWriteStream,
  openSync,
  readFileSync,
  readSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { PassThrough, Writable } from "node:stream";
import { type InMemory, inMemory, ManualClock } from "@dropthrough/dispatch/testing";
import { describe, expect, onTestFinished, test } from "vitest";
import { Level, log, type LogBackend, type LogOptions, type LogService } from "../src/index.ts";
import { fileLog, linesOf, scratch } from "./file-log.ts";

type Written = { backend: LogBackend; memory: InMemory<typeof LogService> };

function logInto(to: Writable | string, options: LogOptions = {}): Written {
  const backend = log({ ...(typeof to === "string" ? { file: to } : { stream: to }), ...options });
  const memory = inMemory(backend);
  onTestFinished(async () => memory[Symbol.asyncDispose]());
  return { backend, memory };
}

async function say({ memory }: Pick<Written, "memory">, message: string): Promise<void> {
  await memory.client("a").write({ record: { level: Level.INFO, message } });
}

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

describe("a stream", () => {
  /** A stream that takes the first line, and the others only when it is let go. */
  function stuck(): { stream: Writable; taken: string[]; letGo: () => void } {
    const taken: string[] = [];
    let letGo: (() => void) | undefined;
    const stream = new Writable({
      highWaterMark: 1,
      write(chunk: Buffer, _, done) {
        taken.push(chunk.toString());
        if (letGo === undefined) letGo = done;
        else done();
      },
    });
    return { stream, taken, letGo: () => letGo?.() };
  }

  test("that never drains blocks nobody, holds what the bound allows, and is told of the rest", async () => {
    const { stream, taken, letGo } = stuck();
    const slow = logInto(stream, { limits: { bufferBytes: 1_000 } });
    for (let i = 0; i < 50; i++) await say(slow, `line ${i}`);
    const { lost } = slow.backend.counts();
    expect(lost).toBeGreaterThan(30);
    expect(stream.writableLength).toBeLessThanOrEqual(1_000);
    letGo();
    await expect.poll(() => taken.join("")).toContain(`${lost} lines were lost`);
    expect(taken.filter((line) => line.includes("line "))).toHaveLength(50 - lost);
  });

  test("that has lost the line that says how many records were dropped gets it with the next one", async () => {
    const { stream, taken, letGo } = stuck();
    const clock = new ManualClock();
    const limits = { bufferBytes: 600, recordsPerSecond: 20, burstSeconds: 1 };
    const slow = logInto(stream, { limits, clock });
    for (let i = 0; i < 22; i++) await say(slow, `line ${i}`);
    const { lost, dropped } = slow.backend.counts();
    clock.advance(1_000);
    expect(slow.backend.counts()).toMatchObject({ lost: lost + 1, dropped });
    letGo();
    await expect.poll(() => taken.join("")).toContain(`${lost + 1} lines were lost`);
    await say(slow, "after");
    clock.advance(1_000);
    expect(taken.filter((line) => line.includes("were dropped"))).toEqual([
      expect.stringContaining(`"dropped":2,"msg":"2 records of a were dropped`),
    ]);
    expect(clock.pending).toBe(0);
  });

  test("that never drains is not healthy, and does not keep the host from ending: what it did not take is lost, and counted", async () => {
    const { stream, letGo } = stuck();
    const slow = logInto(stream);
    for (const message of ["x", "y"]) await say(slow, message);
    expect(await slow.backend.health?.()).toEqual({ ok: true });
    await expect
      .poll(() => slow.backend.health?.())
      .toEqual({
        ok: false,
        message: `the stream takes nothing: ${stream.writableLength} bytes wait`,
      });
    await slow.memory[Symbol.asyncDispose]();
    expect(stream.writableLength).toBeGreaterThan(0);
    expect(slow.backend.counts()).toMatchObject({ written: 0, lost: 2 });
    letGo();
    await new Promise((resolve) => void setImmediate(resolve));
    expect(slow.backend.counts(), "it is said once").toMatchObject({ written: 0, lost: 2 });
  });

  test("that fails (a full disk) shows in health, and ends nothing", async () => {
    const full = logInto(createWriteStream("/dev/full"));
    await say(full, "x");
    await expect
      .poll(() => full.backend.health?.())
      .toEqual({
        ok: false,
        message: "the stream has failed: ENOSPC: no space left on device, write; 1 lines were lost",
      });
    await say(full, "y");
    expect(full.backend.counts().lost).toBe(2);
  });

  test("that fails while the log is closed does not end the host, though it says so later", async () => {
    const stream = new Writable({
      write: (_chunk, _encoding, done) => done(new Error("gone")),
      // As a file does, whose descriptor is closed first.
      destroy: (error, done) => void setTimeout(() => done(error), 50),
    });
    const failing = logInto(stream);
    const closed = new Promise((resolve) => void stream.on("close", resolve));
    await say(failing, "x");
    await new Promise((resolve) => void setImmediate(resolve));
    expect(await failing.backend.health?.()).toMatchObject({ ok: false });
    await failing.memory[Symbol.asyncDispose]();
    expect(stream.listenerCount("error")).toBeGreaterThan(0);
    await closed;
  });

  test("that its owner has closed, or that throws, loses lines and nothing else", async () => {
    const closed = new PassThrough();
    closed.destroy();
    const thrower = new PassThrough();
    thrower.write = () => {
      throw new Error("broken");
    };
    for (const stream of [closed, thrower]) {
      const into = logInto(stream);
      await say(into, "x");
      expect(into.backend.counts()).toMatchObject({ lost: 1 });
      expect(await into.backend.health?.()).toMatchObject({ ok: false });
    }
  });

  test("that is a terminal gets lines for people, without colours where NO_COLOR says so", async () => {
    for (const [noColor, colours] of [
      ["", true],
      ["1", false],
    ] as const) {
      process.env["NO_COLOR"] = noColor;
      const terminal = Object.assign(new PassThrough(), { isTTY: true });
      await say(logInto(terminal), "careful");
      const text = String(terminal.read());
      expect(text).toMatch(/INFO.*a: careful/s);
      expect(text.includes("\u001b")).toBe(colours);
    }
    delete process.env["NO_COLOR"];
  });
});
