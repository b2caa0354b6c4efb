import { createRequire } from "node:module";
import { describe, expect, test } from "vitest";
import { BrokenReply, ReplyMeter } from "../src/server/reply-meter.ts";

const require = createRequire(import.meta.url);
const { Decoder } = require("@redis/client/dist/lib/RESP/decoder.js") as {
  Decoder: new (hear: object) => { write(bytes: Buffer): void; reset(): void };
};

/** What a meter in front of the library's decoder makes of some chunks: replies, errors, and what was too large. */
class Heard {
  readonly all: unknown[] = [];
  readonly #decoder = new Decoder({
    onReply: (reply: unknown) => this.all.push(reply),
    onErrorReply: ({ message }: Error) => this.all.push({ error: message }),
    onPush: (push: unknown) => this.all.push({ push }),
    getTypeMapping: () => ({ 36: Buffer, 37: Array }),
  });
  readonly #meter: ReplyMeter | undefined;

  constructor(mostBytes?: number) {
    if (mostBytes === undefined) return;
    this.#meter = new ReplyMeter(
      {
        write: (bytes) => this.#decoder.write(bytes),
        reset: () => this.#decoder.reset(),
        tooLarge: (bytes) => this.all.push({ tooLarge: bytes }),
        missed: () => this.all.push("missed"),
      },
      mostBytes,
    );
  }

  write(bytes: Buffer): this {
    (this.#meter ?? this.#decoder).write(bytes);
    return this;
  }
}

/** A generator of numbers below something, the same for the same seed. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** A reply of any kind, as its bytes. */
function anyReply(random: (below: number) => number, depth = 0): string {
  const text = (): string => "x\r\n$"[random(4)]?.repeat(random(40)) ?? "";
  const list = (count: number): string =>
    Array.from({ length: count }, () => anyReply(random, depth + 1)).join("");
  const kinds = [
    () => {
      const body = text();
      return `$${body.length}\r\n${body}\r\n`;
    },
    () => "$-1\r\n",
    () => `+${"s".repeat(random(9))}\r\n`,
    () => `:${random(2) === 0 ? "-" : ""}${random(1e9)}\r\n`,
    () => "_\r\n",
    () => `#${random(2) === 0 ? "t" : "f"}\r\n`,
    () => `,${random(1000) / 8}\r\n`,
    () => "=7\r\ntxt:abc\r\n",
    () => `-ERR ${"e".repeat(random(9))}\r\n`,
    () => "*-1\r\n",
    () => {
      const count = random(5);
      return `*${count}\r\n${list(count)}`;
    },
    () => {
      const count = random(3);
      return `%${count}\r\n${list(count * 2)}`;
    },
  ];
  const kind = kinds[random(depth > 4 ? 9 : kinds.length)];
  if (kind === undefined) throw new Error("no such kind");
  return kind();
}

/** Bytes in pieces, of any size. */
function* pieces(bytes: Buffer, random: (below: number) => number): Generator<Buffer> {
  for (let at = 0; at < bytes.length;) {
    const size = 1 + random(random(3) === 0 ? 3 : 200);
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

describe("what a server says", () => {
  test("is read as without a meter, however it is cut into pieces", () => {
    for (let seed = 1; seed <= 300; seed++) {
      const random = numbers(seed);
      const said = Buffer.from(Array.from({ length: 20 }, () => anyReply(random)).join(""));
      const metered = new Heard(1e6);
      for (const piece of pieces(said, random)) metered.write(piece);
      expect(metered.all, `seed ${seed}`).toEqual(new Heard().write(said).all);
    }
  });

  test("is too large or not, and what stands beside it is read, however it is cut into pieces", () => {
    const large = [
      "$1000\r\n" + "x".repeat(1000) + "\r\n",
      "*3\r\n:1\r\n*2\r\n$900\r\n" + "x".repeat(900) + "\r\n:5\r\n:6\r\n",
      "%20\r\n" + ":1\r\n".repeat(40),
      "*2\r\n$100\r\n" + "x".repeat(100) + "\r\n*10\r\n" + ":1\r\n".repeat(10),
    ];
    for (let seed = 1; seed <= 300; seed++) {
      const random = numbers(seed);
      const kinds = Array.from({ length: 12 }, () => random(large.length + 1));
      const said = kinds.map((kind, i) => large[kind] ?? `$2\r\n${10 + i}\r\n`).join("");
      const heard = new Heard(700);
      for (const piece of pieces(Buffer.from(said), random)) heard.write(piece);
      const expected = kinds.map((kind, i) =>
        large[kind] === undefined
          ? Buffer.from(String(10 + i))
          : { tooLarge: expect.any(Number) as number },
      );
      expect(heard.all, `seed ${seed}`).toEqual(expected);
    }
  });

  test("a message that nobody asked for, and that is too large, is missed and stands for no reply", () => {
    const message = (bytes: number): string =>
      `>3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$${bytes}\r\n${"m".repeat(bytes)}\r\n`;
    const heard = new Heard(700).write(
      Buffer.from(`${message(600)}${message(5)}:7\r\n$701\r\n${"x".repeat(701)}\r\n`),
    );
    expect(heard.all).toEqual([
      "missed",
      { push: expect.anything() as unknown },
      7,
      { tooLarge: 701 },
    ]);
  });

  test("a list that is announced takes nothing before it comes", () => {
    const heard = new Heard(1e6);
    const before = process.memoryUsage();
    heard.write(Buffer.from("*1\r\n".repeat(60) + "*99999999\r\n:1\r\n"));
    const after = process.memoryUsage();
    expect(after.heapUsed + after.external - before.heapUsed - before.external).toBeLessThan(8e6);
    expect(heard.all).toEqual([]);
  });

  test.each([
    ["a kind that there is not", "?1\r\n"],
    ["a stream, which the library does not read", "*?\r\n"],
    ["attributes, which the library does not read", "|1\r\n+a\r\n+b\r\n:1\r\n"],
    ["a length below nothing", "$-2\r\n"],
    ["a length of no digits", "$\r\n"],
    ["a length that is no number", "*1x\r\n"],
    ["a length of too many digits", "$1234567890123456\r\n"],
    ["nothing, with something", "_x\r\n"],
    ["neither true nor false", "#true\r\n"],
    ["a text without a kind", "=3\r\nabc\r\n"],
    ["a line that ends with CR alone", "+a\rb\r\n"],
    ["lists deeper than 64", "*1\r\n".repeat(65)],
    ["a message inside a reply", "*1\r\n>1\r\n:1\r\n"],
    ["a line that does not end", "+".padEnd(70_000, "x")],
  ])("%s: BrokenReply, and what came before it is read", (_, said) => {
    const heard = new Heard(1e6);
    expect(() => heard.write(Buffer.from(`:1\r\n*2\r\n:2\r\n:3\r\n${said}`))).toThrow(BrokenReply);
    expect(heard.all).toEqual([1, [2, 3]]);
  });
});
