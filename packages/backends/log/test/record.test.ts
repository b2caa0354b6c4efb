import type { MessageInitShape } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { type AttributeSchema, Level, type RecordSchema, type ValueSchema } from "../src/index.ts";
import { failure, fileLog } from "./file-log.ts";

type ValueInit = MessageInitShape<typeof ValueSchema>;
type AttributeInit = MessageInitShape<typeof AttributeSchema>;
type RecordInit = MessageInitShape<typeof RecordSchema>;

const text = (value: string): ValueInit => ({ kind: { case: "string", value } });
const yes: ValueInit = { kind: { case: "bool", value: true } };
const list = (values: ValueInit[]): ValueInit => ({ kind: { case: "list", value: { values } } });
const map = (attributes: AttributeInit[]): ValueInit => ({
  kind: { case: "map", value: { attributes } },
});
const info = (record: RecordInit): { record: RecordInit } => ({
  record: { level: Level.INFO, ...record },
});

describe("a record", () => {
  test("is one line of JSON, with who wrote it and in which call", async () => {
    const { memory, text: written } = fileLog();
    const attributes: AttributeInit[] = [{ key: "n", value: { kind: { case: "int", value: 3n } } }];
    await memory.client("words.facade").write(info({ message: "hello", attributes }));
    expect(written()).toMatch(
      /^\{"level":30,"time":"[-\dT:.]+Z","guest":"words.facade","instance":0,"call":1,"msg":"hello","attributes":\{"n":3\}\}\n$/,
    );
  });

  test("may hold every kind of value", async () => {
    const { memory, lines } = fileLog();
    const attributes: AttributeInit[] = [
      { key: "s", value: text("x") },
      { key: "int", value: { kind: { case: "int", value: -7n } } },
      { key: "big", value: { kind: { case: "int", value: 2n ** 60n } } },
      { key: "d", value: { kind: { case: "double", value: 1.5 } } },
      { key: "nan", value: { kind: { case: "double", value: NaN } } },
      { key: "infinite", value: { kind: { case: "double", value: -Infinity } } },
      { key: "b", value: yes },
      { key: "bytes", value: { kind: { case: "bytes", value: Uint8Array.of(1, 2) } } },
      { key: "list", value: list([yes, text("y")]) },
      { key: "map", value: map([{ key: "k", value: list([]) }]) },
      { key: "none" },
    ];
    const error = { type: "NOT_FOUND", message: "no", stack: "a\nb" };
    await memory.client().write(info({ attributes, error }));
    expect(lines()[0]).toMatchObject({
      attributes: {
        s: "x",
        int: -7,
        big: "1152921504606846976",
        d: 1.5,
        nan: "NaN",
        infinite: "-Infinity",
        b: true,
        bytes: "AQI=",
        list: [true, "y"],
        map: { k: [] },
        none: null,
      },
      error,
    });
  });

  test.each([
    [1n, 5_000_000, "1970-01-01T00:00:01.005Z"],
    [1_700_000_000n, 1, "2023-11-14T22:13:20.000000001Z"],
    [2n ** 62n, 0, "out of range"],
    [0n, -1, "out of range"],
    [0n, 1_500_000_000, "out of range"],
  ])(
    "of the guest's time %d s and %d ns says %s, next to the host's",
    async (seconds, nanos, guestTime) => {
      const { memory, lines } = fileLog();
      await memory.client().write(info({ time: { seconds, nanos } }));
      expect(lines()[0]).toMatchObject({ guestTime, time: expect.stringMatching(/^2\d{3}-/) });
    },
  );

  test.each([
    ["trace", 10, Level.TRACE],
    ["debug", 20, Level.DEBUG],
    ["info", 30, Level.INFO],
    ["warn", 40, Level.WARN],
    ["error", 50, Level.ERROR],
    ["fatal", 60, Level.FATAL],
  ])("of level %s has pino's number %d", async (_, number, level) => {
    const { memory, lines } = fileLog({ level: "trace" });
    await memory.client().write({ record: { level } });
    expect(lines()[0]?.["level"]).toBe(number);
  });

  test("cannot take the place of what the host adds", async () => {
    const { memory, lines } = fileLog();
    const forged = ["guest", "instance", "call", "parent", "level", "time", "msg", "__proto__"];
    const attributes = forged.map((key) => ({ key, value: text("forged") }));
    await memory.client("honest").write(info({ message: "m", attributes }));
    const { attributes: own, ...host } = lines()[0] ?? {};
    expect(host).toMatchObject({ guest: "honest", instance: 0, call: 1, level: 30, msg: "m" });
    expect(Object.keys(own as object)).toEqual(forged);
  });

  test("without a level, or with an empty key, is INVALID_ARGUMENT; so is Write without a record", async () => {
    const { memory, text: written } = fileLog();
    const client = memory.client();
    for (const call of [
      client.write({}),
      client.write({ record: { message: "m" } }),
      client.write({ record: { level: 7 as Level } }),
      client.write(info({ attributes: [{ key: "", value: yes }] })),
      client.enabled({}),
    ]) {
      expect((await failure(call)).message).toMatch(/^\[invalid_argument\]/);
    }
    expect(written()).toBe("");
  });
});

/** Line feeds, carriage returns, terminal escapes (7 and 8 bit), bells, text direction, and halves of characters. */
const EVIL = `a\n{"level":60,"guest":"root"}\r\u001b[2J\u009b31m\u0007\u202e\u2028\u2029\u0085\u0000\ufeff\ud800 \u{e0041}`;

describe("control characters and marks that reorder text", () => {
  const evil = info({
    message: EVIL,
    attributes: [
      { key: EVIL, value: text(EVIL) },
      { key: "stack", value: map([{ key: "stack", value: list([text(EVIL)]) }]) },
    ],
    error: { type: EVIL, message: EVIL, stack: EVIL },
  });

  test("are escaped in JSON, so that a record is one line whatever reads it", async () => {
    const { memory, text: written, lines } = fileLog();
    await memory.client().write(evil);
    expect(written()).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}](?!$)/u);
    expect(lines()).toHaveLength(1);
    expect(lines()[0]?.["msg"]).toBe(
      String.raw`a\n{"level":60,"guest":"root"}\r\u001b[2J\u009b31m\u0007\u202e\u2028\u2029\u0085\u0000\ufeff\ud800 \udb40\udc41`,
    );
  });

  test("are escaped for people: no line but the first begins at the margin, and none moves the cursor", async () => {
    const { memory, text: written } = fileLog({ pretty: true });
    await memory.client("a").write(evil);
    expect(written()).not.toMatch(/[^\P{Cc}\n]|[\p{Cf}\p{Zl}\p{Zp}]/u);
    const [first, ...others] = written().trimEnd().split("\n");
    expect(first).toMatch(/^\[[\d:.]+\] INFO: a: a\\n\{"level":60,"guest":"root"\}\\r\\u001b\[2J/);
    for (const line of others) expect(line).toMatch(/^ {4}/);
  });

  test("are escaped in the name of a guest, too, which an operator may have from anywhere", async () => {
    for (const pretty of [false, true]) {
      const { memory, text: written } = fileLog({ pretty, limits: { attributes: 0 } });
      const client = memory.client("a\u001b[2J\u009b\u202e\n");
      await client.write(info({ message: "m" }));
      await failure(client.write(info({ attributes: [{ key: "k", value: yes }] })));
      await memory[Symbol.asyncDispose]();
      expect(written().trimEnd().split("\n")).toHaveLength(2);
      expect(written()).not.toMatch(/[^\P{Cc}\n]|[\p{Cf}\p{Zl}\p{Zp}]/u);
    }
  });

  test("leave the joiners of words and emoji as they are", async () => {
    const { memory, lines } = fileLog();
    await memory.client().write(info({ message: "👩‍💻 می‌خواهم ñ" }));
    expect(lines()[0]?.["msg"]).toBe("👩‍💻 می‌خواهم ñ");
  });

  test("and nothing of a key is lost, whatever its name, for people too", async () => {
    const { memory, text: written } = fileLog({ pretty: true });
    const attributes = [
      { key: "__proto__", value: text("p") },
      { key: "constructor", value: map([{ key: "prototype", value: text("q") }]) },
    ];
    await memory.client().write(info({ message: "m", attributes }));
    expect(written()).toContain(
      'm {"attributes":{"__proto__":"p","constructor":{"prototype":"q"}}}',
    );
  });
});

describe("the size of a record is bounded", () => {
  test("long text, keys and bytes are cut, and say how long they were", async () => {
    const { memory, lines } = fileLog();
    const bytes: ValueInit = { kind: { case: "bytes", value: new Uint8Array(5_000) } };
    await memory.client().write(
      info({
        message: "x".repeat(1_000_000),
        attributes: [{ key: "k".repeat(1_000), value: bytes }],
      }),
    );
    const line = lines()[0];
    expect(line?.["msg"]).toBe(`${"x".repeat(16_384)}… (1000000 characters)`);
    const [[key, value] = []] = Object.entries(line?.["attributes"] as object);
    expect(key).toBe("k".repeat(256));
    expect(value).toMatch(/^A+==… \(5000 bytes\)$/);
  });

  test("text and keys are not cut within a character", async () => {
    const { memory, lines } = fileLog({ limits: { textLength: 3, keyLength: 2 } });
    const attributes = [{ key: "k😀", value: text("😀😀") }];
    await memory.client().write(info({ message: "ab😀", attributes }));
    expect(lines()[0]).toMatchObject({
      msg: "ab… (4 characters)",
      attributes: { k: "😀… (4 characters)" },
    });
  });

  const nested = (depth: number): ValueInit => (depth === 0 ? yes : list([nested(depth - 1)]));

  /** 64 of 20 digits and more, as whole numbers and as others. */
  const numbers = list(
    Array.from({ length: 64 }, (_, i) => ({
      kind:
        i % 2 === 0 ? { case: "int", value: -(2n ** 63n) } : { case: "double", value: -1 / 3e300 },
    })),
  );

  test("up to the limits it is written", async () => {
    const { memory, lines } = fileLog();
    const attributes = Array.from({ length: 64 }, (_, i) => ({ key: `k${i}`, value: nested(7) }));
    await memory.client().write(info({ attributes }));
    expect(lines()[0]?.["attributes"]).toMatchObject({ k63: [[[[[[[true]]]]]]] });
  });

  test.each<[string, RecordInit, string]>([
    [
      "65 attributes",
      { attributes: Array.from({ length: 65 }, (_, i) => ({ key: `k${i}`, value: yes })) },
      "65 attributes are above the limit of 64 at one level: write fewer",
    ],
    [
      "65 values in a list",
      { attributes: [{ key: "k", value: list(Array.from({ length: 65 }, () => yes)) }] },
      "65 attributes are above the limit of 64 at one level: write fewer",
    ],
    [
      "9 levels",
      { attributes: [{ key: "k", value: nested(8) }] },
      "attributes are nested more than 8 deep: flatten them",
    ],
    [
      "a large record made of small parts",
      {
        attributes: Array.from({ length: 64 }, (_, i) => ({
          key: `k${i}`,
          value: list(Array.from({ length: 64 }, () => text("x".repeat(20)))),
        })),
      },
      "a record may have 65536 bytes: write less, or several records",
    ],
    [
      "nothing but empty values, 262,144 of them",
      {
        attributes: Array.from({ length: 64 }, (_, i) => ({
          key: `k${i}`,
          value: list(
            Array.from({ length: 64 }, () => list(Array.from({ length: 64 }, () => ({})))),
          ),
        })),
      },
      "a record may have 65536 bytes: write less, or several records",
    ],
    [
      "escape characters, which take more room on the line than in the record",
      {
        message: "\u001b".repeat(15_000),
        error: { stack: "\u001b".repeat(15_000) },
      },
      "a record may have 65536 bytes: write less, or several records",
    ],
    [
      "quotes, which take two",
      {
        message: '"'.repeat(16_000),
        error: { message: "\\".repeat(16_000), stack: "x".repeat(2_000) },
      },
      "a record may have 65536 bytes: write less, or several records",
    ],
    [
      "numbers, which take more digits than bytes",
      { attributes: [{ key: "k", value: list(Array.from({ length: 64 }, () => numbers)) }] },
      "a record may have 65536 bytes: write less, or several records",
    ],
  ])("above them it is RESOURCE_EXHAUSTED: %s", async (_, record, message) => {
    const { memory, text: written } = fileLog();
    const error = await failure(memory.client().write(info(record)));
    expect(error.message).toBe(`[resource_exhausted] ${message}`);
    expect(written()).toBe("");
  });

  test("no line is longer than that and what the host adds, whatever the record is made of", async () => {
    const kinds: ValueInit[] = [
      text("x"),
      text('"'),
      text("\u001b"),
      text("\u{e0041}"),
      text("€"),
      { kind: { case: "bytes", value: new Uint8Array(2_000) } },
      { kind: { case: "double", value: -1 / 3e300 } },
      { kind: { case: "int", value: -(2n ** 63n) } },
      yes,
      {},
      list([]),
      map([]),
    ];
    const { memory, text: written } = fileLog({ limits: { bytesPerSecond: 1e9 } });
    for (const kind of kinds) {
      // The most of it that is taken.
      let [least, most] = [0, 64 * 64 * 8];
      while (least < most) {
        const count = Math.ceil((least + most) / 2);
        const all = Array.from({ length: count }, () => kind);
        const rows = Array.from({ length: Math.ceil(count / 64) }, (_, i) =>
          list(all.slice(i * 64, i * 64 + 64)),
        );
        const attributes = Array.from({ length: Math.ceil(rows.length / 64) }, (_, i) => ({
          key: `\u001b"${i}`,
          value: list(rows.slice(i * 64, i * 64 + 64)),
        }));
        const taken = await memory
          .client()
          .write(info({ attributes }))
          .then(
            () => true,
            () => false,
          );
        if (taken) least = count;
        else most = count - 1;
      }
      expect(least).toBeGreaterThan(10);
    }
    const sizes = written()
      .split("\n")
      .map((line) => Buffer.byteLength(line));
    expect(Math.max(...sizes)).toBeGreaterThan(60_000);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(65_536 + 200);
  });

  test("the limits are the operator's", async () => {
    const limits = {
      recordBytes: 38,
      textLength: 4,
      keyLength: 2,
      valueBytes: 1,
      attributes: 1,
      depth: 1,
      batch: 1,
    };
    const { memory, lines } = fileLog({ limits });
    const client = memory.client();
    const attributes = [{ key: "key", value: text("value") }];
    expect((await failure(client.write(info({ attributes })))).rawMessage).toContain("38 bytes");
    await client.write(info({ message: "12345", attributes: [{ key: "key", value: yes }] }));
    expect(lines()[0]).toMatchObject({ msg: "1234… (5 characters)", attributes: { ke: true } });
    const records = [{ level: Level.INFO }, { level: Level.INFO }];
    expect((await failure(client.writeBatch({ records }))).message).toBe(
      "[resource_exhausted] 2 records are above the limit of 1: write fewer at a time",
    );
  });
});

describe("a batch", () => {
  test("is written whole and in order", async () => {
    const { memory, lines } = fileLog();
    const records = Array.from({ length: 1_024 }, (_, i) => ({
      level: Level.INFO,
      message: String(i),
    }));
    await memory.client().writeBatch({ records });
    expect(lines().map((line) => line["msg"])).toEqual(records.map((record) => record.message));
  });

  test("or not at all: one bad record refuses it", async () => {
    const { memory, text: written } = fileLog();
    const records = [{ level: Level.INFO, message: "good" }, { message: "bad" }];
    expect((await failure(memory.client().writeBatch({ records }))).message).toMatch(
      /^\[invalid_argument\]/,
    );
    expect(written()).toBe("");
  });

  test("of more than 1,024 records is RESOURCE_EXHAUSTED", async () => {
    const { memory, text: written } = fileLog();
    const records = Array.from({ length: 1_025 }, () => ({ level: Level.INFO }));
    expect((await failure(memory.client().writeBatch({ records }))).message).toBe(
      "[resource_exhausted] 1025 records are above the limit of 1024: write fewer at a time",
    );
    expect(written()).toBe("");
  });
});
