import { createWriteStream } from "node:fs";
import { PassThrough, Writable } from "node:stream";
import { ManualClock } from "@dropthrough/dispatch/testing";
import { describe, expect, test } from "vitest";
import { logInto, say } from "./file-log.ts";

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
