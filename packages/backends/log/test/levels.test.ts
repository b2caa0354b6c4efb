import { ManualClock } from "@dropthrough/dispatch/testing";
import { describe, expect, test } from "vitest";
import { Level, log, type LogOptions } from "../src/index.ts";
import { failure, fileLog, type FileLog } from "./file-log.ts";

async function say({ memory }: FileLog, guest: string, level: Level, message = ""): Promise<void> {
  await memory.client(guest).write({ record: { level, message } });
}

describe("levels", () => {
  test("are info for everybody, and each guest's own where the operator said so", async () => {
    const file = fileLog({ levels: { loud: "trace", mute: "off" } });
    for (const guest of ["plain", "loud", "mute"]) {
      for (const level of [Level.TRACE, Level.INFO, Level.FATAL]) await say(file, guest, level);
    }
    expect(file.lines().map((line) => [line["guest"], line["level"]])).toEqual([
      ["plain", 30],
      ["plain", 60],
      ["loud", 10],
      ["loud", 30],
      ["loud", 60],
    ]);
  });

  test("change while it runs, and Enabled tells a guest", async () => {
    const file = fileLog({ level: "warn", levels: { b: "trace" } });
    const enabled = async (guest: string, level: Level): Promise<boolean> =>
      (await file.memory.client(guest).enabled({ level })).enabled;
    expect([await enabled("a", Level.INFO), await enabled("b", Level.TRACE)]).toEqual([
      false,
      true,
    ]);
    file.backend.setLevel("info");
    file.backend.setLevel("off", "b");
    expect([await enabled("a", Level.INFO), await enabled("b", Level.FATAL)]).toEqual([
      true,
      false,
    ]);
    await say(file, "a", Level.INFO, "now");
    await say(file, "b", Level.FATAL, "never");
    expect(file.lines().map((line) => line["msg"])).toEqual(["now"]);
  });

  test("a record below the level is not looked into", async () => {
    const file = fileLog();
    await file.memory.client().write({ record: { level: Level.DEBUG, attributes: [{ key: "" }] } });
    expect(file.text()).toBe("");
  });

  test.each<[LogOptions, string]>([
    [
      { level: "loud" as "info" },
      'level is "loud": write trace, debug, info, warn, error, fatal or off',
    ],
    [{ levels: { a: "INFO" as "info" } }, 'levels["a"] is "INFO": write'],
    [{ sampling: { loud: 2 } as object }, 'sampling has "loud": write trace'],
    [{ levle: "debug" } as object, 'log: "levle" is unknown; there is level, levels, '],
    [{ limits: { batches: 1 } as object }, 'log: limits: "batches" is unknown'],
    [{ limits: { batch: "1" as unknown as number } }, '"batch" must be a number, 0 or more'],
    [{ samplings: { a: { debug: 0 } } }, 'samplings["a"].debug is 0: write a whole number above 0'],
  ])("that are none are refused: %j", (options, message) => {
    expect(() => log(options)).toThrow(message);
  });

  test("that are none are refused while it runs, too", () => {
    expect(() => fileLog().backend.setLevel("loud" as "info")).toThrow(TypeError);
  });
});

describe("sampling", () => {
  test("writes one of every so many of a level, each guest by itself, and tells how many were left out", async () => {
    const file = fileLog({ level: "trace", sampling: { debug: 3 }, samplings: { all: {} } });
    for (let i = 0; i < 8; i++) {
      await say(file, "some", Level.DEBUG, `${i}`);
      await say(file, "all", Level.DEBUG, `${i}`);
    }
    await say(file, "some", Level.INFO, "other levels are whole");
    const of = (guest: string): unknown[][] =>
      file
        .lines()
        .filter((line) => line["guest"] === guest)
        .map((line) => [line["msg"], line["skipped"]]);
    expect(of("all")).toHaveLength(8);
    expect(of("some")).toEqual([
      ["0", undefined],
      ["3", 2],
      ["6", 2],
      ["other levels are whole", undefined],
    ]);
    await file.memory[Symbol.asyncDispose]();
    expect(of("some").at(-1)).toEqual(["1 more records of some were left out by its sampling", 1]);
    expect(file.backend.counts().skipped).toBe(5);
  });
});

test("what sampling left out is told, though the line that should have told was above the rate", async () => {
  const clock = new ManualClock();
  const limits = { recordsPerSecond: 2, burstSeconds: 0.5 };
  const file = fileLog({ level: "debug", sampling: { debug: 3 }, limits, clock });
  for (let i = 0; i < 6; i++) await say(file, "some", Level.DEBUG, `${i}`);
  clock.advance(1_000);
  await say(file, "some", Level.DEBUG, "6");
  expect(file.lines().map((line) => line["dropped"] ?? [line["msg"], line["skipped"]])).toEqual([
    ["0", undefined],
    1,
    ["6", 4],
  ]);
});

describe("a guest whose records are refused", () => {
  test("is told, and so is the operator: how many, and why", async () => {
    const clock = new ManualClock();
    const file = fileLog({ clock });
    const client = file.memory.client("big");
    const attributes = Array.from({ length: 65 }, (_, i) => ({ key: `k${i}` }));
    const record = { level: Level.INFO, attributes };
    await failure(client.write({ record }));
    await failure(client.writeBatch({ records: [{ level: Level.INFO }, record] }));
    expect(file.text()).toBe("");
    clock.advance(1_000);
    expect(file.lines()).toMatchObject([
      {
        guest: "big",
        level: 40,
        refused: 3,
        msg: "3 records of big were refused: 65 attributes are above the limit of 64 at one level: write fewer",
      },
    ]);
    expect(file.backend.counts()).toMatchObject({ refused: 3, dropped: 0, written: 1 });
    await failure(client.write({ record: { level: Level.INFO, attributes: [{ key: "" }] } }));
    await file.memory[Symbol.asyncDispose]();
    expect(file.lines().at(-1)?.["msg"]).toBe(
      "1 records of big were refused: an attribute needs a key",
    );
    expect(clock.pending).toBe(0);
  });
});

describe("a guest that floods the log", () => {
  const limits = { recordsPerSecond: 2, bytesPerSecond: 1_000, burstSeconds: 10 };

  test("is held to its rate of records; the others are not, and a line says how many were dropped", async () => {
    const clock = new ManualClock();
    const file = fileLog({ limits: { ...limits, bytesPerSecond: 1e9 }, clock });
    for (let i = 0; i < 25; i++) await say(file, "flood", Level.INFO, "x");
    await say(file, "calm", Level.INFO, "calm");
    clock.advance(1_000);
    for (let i = 0; i < 3; i++) await say(file, "flood", Level.INFO, "after");
    clock.advance(1_000);
    expect(file.lines().map((line) => line["msg"])).toEqual([
      ...Array.from({ length: 20 }, () => "x"),
      "calm",
      "5 records of flood were dropped: it writes more than 2 records or 1000000000 bytes a second",
      "after",
      "after",
      "1 records of flood were dropped: it writes more than 2 records or 1000000000 bytes a second",
    ]);
    expect(file.backend.counts()).toEqual({
      written: 25,
      dropped: 6,
      skipped: 0,
      refused: 0,
      lost: 0,
      told: 2,
    });
    expect(clock.pending).toBe(0);
  });

  test("has one rate for all its instances and for all ways to write, and another guest, whose name differs by case alone, has its own", async () => {
    const clock = new ManualClock();
    const file = fileLog({ limits, clock });
    const level = Level.INFO;
    const streams = [1, 2].map((instance) => file.backend.lines({ name: "flood", instance }));
    for (let i = 0; i < 5; i++) {
      await say(file, "flood", level, "write");
      await file.memory.client("flood").writeBatch({ records: [{ level }, { level }] });
      for (const stream of streams) stream.write("line\n");
      await file.memory.end("flood");
    }
    expect(file.backend.counts()).toMatchObject({ written: 20, dropped: 5 });
    file.backend.setLevel("debug");
    await say(file, "flood", Level.DEBUG, "a level more is no record more");
    expect(file.backend.counts()).toMatchObject({ written: 20, dropped: 6 });
    await say(file, "Flood", level, "another");
    expect(file.lines().at(-1)).toMatchObject({ guest: "Flood", msg: "another" });
  });

  test("may write less than one record a second, and still writes that", async () => {
    const clock = new ManualClock();
    const file = fileLog({ limits: { recordsPerSecond: 0.25, burstSeconds: 1 }, clock });
    for (let i = 0; i < 8; i++) {
      await say(file, "rare", Level.INFO, `${i}`);
      clock.advance(1_000);
    }
    const written = file.lines().filter((line) => line["dropped"] === undefined);
    expect(written.map((line) => line["msg"])).toEqual(["0", "4"]);
  });

  test("is held to its rate of bytes", async () => {
    const clock = new ManualClock();
    const file = fileLog({ limits: { ...limits, recordsPerSecond: 1e9 }, clock });
    for (let i = 0; i < 5; i++) await say(file, "flood", Level.INFO, "x".repeat(4_000));
    expect(file.lines()).toHaveLength(3);
    // Three lines of a little more than 4,000 bytes have overdrawn 10,000: that takes three seconds to pay.
    clock.advance(2_000);
    await say(file, "flood", Level.INFO, "too soon");
    clock.advance(1_000);
    await say(file, "flood", Level.INFO, "again");
    expect(file.lines().map((line) => line["dropped"] ?? String(line["msg"]).slice(0, 5))).toEqual([
      "xxxxx",
      "xxxxx",
      "xxxxx",
      2,
      1,
      "again",
    ]);
  });

  test("has no more bytes of characters that take several", async () => {
    const clock = new ManualClock();
    const file = fileLog({ limits: { ...limits, recordsPerSecond: 1e9 }, clock });
    for (let i = 0; i < 5; i++) await say(file, "flood", Level.INFO, "€".repeat(2_000));
    expect(file.lines()).toHaveLength(2);
  });

  test("is told of when the log is closed, at the latest, and leaves no timer", async () => {
    const clock = new ManualClock();
    const file = fileLog({ limits: { ...limits, burstSeconds: 0.5 }, clock });
    for (let i = 0; i < 3; i++) await say(file, "flood", Level.INFO, "x");
    expect(clock.pending).toBe(1);
    await file.memory[Symbol.asyncDispose]();
    expect(file.lines().map((line) => line["dropped"])).toEqual([undefined, 2]);
    expect(clock.pending).toBe(0);
  });

  test("is timed by the host's clock", async () => {
    const clock = new ManualClock();
    const file = fileLog({ limits: { ...limits, burstSeconds: 0.5 } });
    const guests = (): never[] => [];
    const watch = (): Disposable => ({ [Symbol.dispose]: () => {} });
    file.memory.registry.attach({ clock, guests, services: guests, watch });
    await say(file, "flood", Level.INFO, "one");
    await say(file, "flood", Level.INFO, "two");
    clock.advance(1_000);
    await say(file, "flood", Level.INFO, "three");
    expect(file.lines().map((line) => line["dropped"] ?? line["msg"])).toEqual(["one", 1, "three"]);
  });
});
