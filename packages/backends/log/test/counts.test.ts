import { execFileSync } from "node:child_process";
import fs, { closeSync, constants, openSync, writeFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import { PassThrough, Writable } from "node:stream";
import { inMemory, ManualClock } from "@dropthrough/dispatch/testing";
import { describe, expect, onTestFinished, test } from "vitest";
import { Level, log, type LogCounts, type LogOptions } from "../src/index.ts";
import { failure, scratch } from "./file-log.ts";

/** Sends records of every fate to a log, and answers what became of them: before it is closed, and after. */
async function fates(options: LogOptions): Promise<[LogCounts, LogCounts]> {
  const clock = new ManualClock();
  const backend = log({
    sampling: { warn: 3 },
    limits: { recordsPerSecond: 10, burstSeconds: 2, batch: 20, bufferBytes: 4_000 },
    clock,
    ...options,
  });
  const memory = inMemory(backend);
  const client = memory.client("a");
  const message = "x".repeat(200);
  const printed = backend.lines({ name: "a", instance: 2 });
  for (let i = 0; i < 10; i++) {
    const level = Level.INFO;
    await client.write({ record: { level, message } });
    await client.write({ record: { level: Level.WARN, message } });
    await client.write({ record: { level: Level.DEBUG, message } });
    await client.writeBatch({ records: Array.from({ length: 4 }, () => ({ level, message })) });
    const records = Array.from({ length: 21 }, () => ({ level }));
    await failure(client.writeBatch({ records }));
    printed.write("one\ntwo\n");
    clock.advance(400);
  }
  const before = backend.counts();
  await memory[Symbol.asyncDispose]();
  printed.write("after the end\n");
  return [before, backend.counts()];
}

/** Of one turn: a record, one of level warn, four of a batch, 21 that are refused, two printed lines. One of level debug is not looked into. */
const SENT = 10 * (1 + 1 + 4 + 21 + 2);

/** A named pipe whose reader does not read. */
function unread(): string {
  const path = join(scratch(), "fifo");
  execFileSync("mkfifo", [path]);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  onTestFinished(() => closeSync(reader));
  return path;
}

const SINKS: readonly [string, () => LogOptions][] = [
  ["a file", () => ({ file: join(scratch(), "log") })],
  ["a file, for people", () => ({ file: join(scratch(), "log"), pretty: true })],
  ["a full disk", () => ({ file: "/dev/full" })],
  ["a pipe that nobody reads", () => ({ file: unread() })],
  [
    "a stream that fails in the end",
    () => {
      let count = 0;
      const write: Writable["_write"] = (_chunk, _encoding, done) =>
        void setImmediate(() => done(count++ > 5 ? new Error("gone") : null));
      return { stream: new Writable({ write }) };
    },
  ],
  ["a stream that takes nothing", () => ({ stream: new Writable({ write: () => {} }) })],
  ["a stream that is closed", () => ({ stream: new PassThrough().destroy() })],
];

describe("what became of records adds up: each is written, dropped, skipped, refused or lost", () => {
  test.each(SINKS)("into %s", async (_, options) => {
    const [before, after] = await fates(options());
    const sum = ({ written, dropped, skipped, refused, lost, told }: LogCounts): number =>
      written + dropped + skipped + refused + lost - told;
    expect(sum(before)).toBe(SENT);
    expect(sum(after)).toBe(SENT + 1);
    for (const count of [before.dropped, before.skipped, before.refused, after.lost])
      expect(count).toBeGreaterThan(0);
    expect(Math.min(...Object.values(after))).toBeGreaterThanOrEqual(0);
  });
});

test("the line feed that a torn file was given counts as nothing, when it is lost as well", async () => {
  const file = join(scratch(), "torn");
  writeFileSync(file, "{");
  const { writevSync } = fs;
  Object.assign(fs, {
    writevSync: () => {
      throw Object.assign(new Error("no space"), { code: "ENOSPC" });
    },
  });
  syncBuiltinESMExports();
  const backend = log({ file });
  await inMemory(backend)
    .client()
    .write({ record: { level: Level.INFO } });
  expect(backend.counts()).toMatchObject({ written: 1, lost: 0 });
  await backend[Symbol.asyncDispose]?.();
  Object.assign(fs, { writevSync });
  syncBuiltinESMExports();
  expect(backend.counts()).toMatchObject({ written: 0, lost: 1 });
});
