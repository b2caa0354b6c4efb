import type { HandlerContext } from "@connectrpc/connect";
import { type Call, createRegistry, LocalCaller } from "@dropthrough/dispatch";
import { echo, EchoService, ManualClock } from "@dropthrough/dispatch/testing";
import { describe, expect, test } from "vitest";
import type { LevelName } from "../src/index.ts";
import { fileLog } from "./file-log.ts";

const guest = { name: "printer", instance: 3 };
const settled = async (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

describe("what a guest prints", () => {
  test("is a record for each line, with its name on it, whatever pieces it comes in", async () => {
    const { backend, lines } = fileLog();
    const stream = backend.lines(guest);
    for (const byte of Buffer.from("one\r\ntwo ü\n\nfour")) stream.write(Uint8Array.of(byte));
    await settled();
    expect(lines().map((line) => line["msg"])).toEqual(["one", "two ü", ""]);
    stream.end();
    await settled();
    expect(lines().at(-1)).toMatchObject({ guest: "printer", instance: 3, level: 30, msg: "four" });
  });

  test("cannot forge a line, and an endless one comes in pieces", async () => {
    const { backend, lines, text } = fileLog();
    const stream = backend.lines(guest, "warn");
    stream.write('\u001b[2J{"level":60,"guest":"root"}\u2028\n');
    for (let i = 0; i < 100; i++) stream.write("x".repeat(1_000));
    await settled();
    expect(text()).not.toMatch(/[^\P{Cc}\n]|\p{Zl}/u);
    const [first, ...pieces] = lines();
    expect(first).toMatchObject({
      guest: "printer",
      level: 40,
      msg: '\\u001b[2J{"level":60,"guest":"root"}\\u2028',
    });
    expect(pieces.length).toBeGreaterThan(8);
    for (const piece of pieces) expect(piece["msg"]).toMatch(/^x{9362}$/);
    stream.end();
    await settled();
    expect(
      lines().reduce((sum, line) => sum + String(line["msg"]).replaceAll(/[^x]/g, "").length, 0),
    ).toBe(100_000);
  });

  test("goes by the guest's level, which may change, and by its rate", async () => {
    const clock = new ManualClock();
    const limits = { recordsPerSecond: 2, burstSeconds: 1 };
    const { backend, lines } = fileLog({ levels: { printer: "error" }, clock, limits });
    const stream = backend.lines(guest);
    stream.write("nobody reads this\n");
    backend.setLevel("info", "printer");
    for (let i = 0; i < 5; i++) stream.write(`${i}\n`);
    await settled();
    expect(lines().map((line) => line["msg"])).toEqual(["0", "1"]);
    expect(backend.counts().dropped).toBe(3);
    clock.advance(1_000);
    expect(lines().at(-1)).toMatchObject({ guest: "printer", dropped: 3 });
  });

  test("is of the call by which it is written, as every record is", async () => {
    const { backend, lines } = fileLog();
    const writer: { name: string; instance: number; call?: HandlerContext | undefined } = {
      ...guest,
    };
    const stream = backend.lines(writer);
    await using registry = createRegistry();
    registry.use(echo());
    const session = registry.connect(new LocalCaller("client"));
    const call = async (): Promise<Call> => (await session.unary(EchoService.method.echo, {})).call;
    session.current = await call();
    session.current = await call();
    writer.call = await call();
    stream.write("one\ntwo\nthr");
    writer.call = await call();
    stream.write("ee\nfour");
    writer.call = undefined;
    stream.write("\nfive");
    writer.call = await call();
    stream.end();
    const places = lines().map(({ msg, call: id, parent, ancestors }) => [
      msg,
      id,
      parent,
      ancestors,
    ]);
    expect(places).toEqual([
      ["one", 3, 2, [1]],
      ["two", 3, 2, [1]],
      ["three", 4, 2, [1]],
      ["four", undefined, undefined, undefined],
      ["five", 5, 2, [1]],
    ]);
  });

  test("loses no half of a character, wherever a long line is cut", async () => {
    const { backend, lines } = fileLog({ limits: { textLength: 3 } });
    const stream = backend.lines(guest);
    const text = "a😀😀b😀😀😀cde😀";
    for (const byte of Buffer.from(`${text}\nabc\n${text}`)) stream.write(Uint8Array.of(byte));
    stream.end();
    const pieces = ["a😀", "😀b", "😀", "😀", "😀c", "de", "😀"];
    expect(lines().map((line) => line["msg"])).toEqual([...pieces, "abc", ...pieces]);
  });

  test("has a level that there is", () => {
    const { backend } = fileLog();
    expect(() => backend.lines(guest, "loud" as LevelName)).toThrow('the level is "loud"');
  });
});

test("lines that come when the log is closed set no timer, which would hold the process", async () => {
  const clock = new ManualClock();
  const { backend } = fileLog({ clock, limits: { recordsPerSecond: 1, burstSeconds: 1 } });
  const stream = backend.lines(guest);
  stream.write("before\n");
  await backend[Symbol.asyncDispose]?.();
  stream.write("one\ntwo\nthree\n");
  backend.lines({ name: "another", instance: 1 }).write("one\ntwo\nthree\n");
  await settled();
  expect(backend.counts()).toMatchObject({ dropped: 5, told: 0 });
  expect(clock.pending).toBe(0);
});
