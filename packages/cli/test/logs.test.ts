import { logs, type LogsOptions } from "dropthrough";
import { describe, expect, test } from "vitest";
import { line, RECORDS } from "./logged-lines.ts";

async function* chunks(
  ...texts: readonly (string | Uint8Array)[]
): AsyncGenerator<string | Uint8Array> {
  yield* texts;
}

async function shown(
  texts: readonly (string | Uint8Array)[],
  options?: LogsOptions,
): Promise<string[]> {
  const lines: string[] = [];
  await logs(chunks(...texts), (text) => void lines.push(text), options);
  return lines;
}

describe("logs", () => {
  test("shows records as lines for people, whatever chunks they come in", async () => {
    const text = `${RECORDS.join("\n")}\n`;
    const expected = [
      "12:00:00.123 INFO client: client begins",
      '12:00:00.123 INFO facade: facade begins {"n":3}',
      "12:00:00.123 INFO other: other begins",
      "12:00:00.123 INFO store: store begins",
      "12:00:00.123 INFO store: store for other",
      "12:00:00.123 INFO store: store ends",
      "12:00:00.123 INFO facade: facade ends",
      "12:00:00.123 INFO other: other ends",
    ];
    expect(await shown([text])).toEqual(expected);
    expect(await shown([...Buffer.from(text)].map((byte) => Uint8Array.of(byte)))).toEqual(
      expected,
    );
    expect(await shown([text.replaceAll("\n", "\r\n").trimEnd()])).toEqual(expected);
  });

  test("in a tree they stand below the calls that they were written for, in the order of the starts", async () => {
    expect(await shown([RECORDS.join("\n")], { tree: true })).toEqual([
      "12:00:00.123 INFO client: client begins",
      "#2 facade",
      '  12:00:00.123 INFO facade begins {"n":3}',
      "  #6 store",
      "    12:00:00.123 INFO store begins",
      "    12:00:00.123 INFO store ends",
      "  12:00:00.123 INFO facade ends",
      "#3 other",
      "  12:00:00.123 INFO other begins",
      "  #8 store",
      "    12:00:00.123 INFO store for other",
      "  12:00:00.123 INFO other ends",
    ]);
  });

  test("a call that logs after the one that it made stands before it", async () => {
    const records = [
      line(5, [1, 2, 3], "c", "inner first"),
      line(6, [1, 2], "b", "outer later"),
      line(8, [1, 7], "d", "next"),
    ];
    expect(await shown([records.join("\n")], { tree: true })).toEqual([
      "#1",
      "  #2 b",
      "    #3 c",
      "      12:00:00.123 INFO inner first",
      "    12:00:00.123 INFO outer later",
      "  #7 d",
      "    12:00:00.123 INFO next",
    ]);
  });

  test("of one guest, or of a level and above, leave the others out, and the tree stays one", async () => {
    const text = [...RECORDS, line(20, [13], "store", "bad", { level: 50 }), "not a record"].join(
      "\n",
    );
    expect(await shown([text], { guest: "store", tree: true })).toEqual([
      "#2",
      "  #6 store",
      "    12:00:00.123 INFO store begins",
      "    12:00:00.123 INFO store ends",
      "#3",
      "  #8 store",
      "    12:00:00.123 INFO store for other",
      "#13 store",
      "  12:00:00.123 ERROR bad",
    ]);
    expect(await shown([text], { level: "error" })).toEqual(["12:00:00.123 ERROR store: bad"]);
    expect(await shown([text], { level: "error", guest: "facade" })).toEqual([]);
  });

  test("ids that go down are another run of the host: its calls are not mixed with those before", async () => {
    const text = [
      line(3, [2], "a", "first run"),
      line(2, [1], "a", "second run"),
      line(4, [2], "a", "second run"),
    ].join("\n");
    expect(await shown([text], { tree: true })).toEqual([
      "#2 a",
      "  12:00:00.123 INFO first run",
      "#1 a",
      "  12:00:00.123 INFO second run",
      "#2 a",
      "  12:00:00.123 INFO second run",
    ]);
  });

  test("the calls of a run are not those of the one before either where what went before is left out, or was of the same id", async () => {
    const later = { time: "2026-01-01T12:00:05.000Z" };
    const [first, other] = [line(3, [2], "a", "first run"), line(50, [40], "b", "of another")];
    const next = line(7, [2], "a", "second run", later);
    expect(await shown([[first, other, next].join("\n")], { tree: true, guest: "a" })).toEqual([
      "#2 a",
      "  12:00:00.123 INFO first run",
      "#2 a",
      "  12:00:05.000 INFO second run",
    ]);
    // A program that writes one record, run again and again: each time by the same call.
    for (const again of [
      line(3, [2], "a", "again", later),
      line(3, [2], "b", "again", later),
      line(3, [1], "a", "again", later),
    ]) {
      const lines = await shown([[first, again].join("\n")], { tree: true });
      expect(lines.filter((text) => text.startsWith("#"))).toHaveLength(2);
      expect(lines.join("\n")).not.toContain("…");
    }
    const batch = [first, line(3, [2], "a", "of one batch")];
    expect(await shown([batch.join("\n")], { tree: true })).toHaveLength(3);
  });

  test("what comes for a call after it was printed is marked, and a call that logs late is not", async () => {
    const records = [
      line(4, [3], "b", "begins"),
      line(5, [], "client", "in between"),
      line(6, [2], "a", "late, and for the first time"),
      line(7, [3], "b", "goes on"),
      line(8, [], "client", "in between"),
      line(9, [2], "a", "goes on"),
    ];
    const lines = await shown([records.join("\n")], { tree: true });
    expect(lines.filter((text) => text.startsWith("#"))).toEqual([
      "#3 b",
      "#2 a",
      "#3 b …",
      "#2 a …",
    ]);
  });

  test("of a host that never rests are shown within seconds", async () => {
    const lines: string[] = [];
    let atTheEnd = -1;
    async function* busy(): AsyncGenerator<string> {
      for (let i = 0; i < 60; i++) {
        yield `${line(3 + i, [2], "a", "x")}\n`;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      atTheEnd = lines.length;
    }
    await logs(busy(), (text) => void lines.push(text), { tree: true });
    expect(atTheEnd).toBeGreaterThan(0);
    expect(lines.filter((text) => text.endsWith("INFO x"))).toHaveLength(60);
  });

  test("an error has its stack below it", async () => {
    const error = { type: "NotFound", message: "no such key", stack: "at a\nat b\n" };
    expect(await shown([line(1, [], "a", "failed", { error })])).toEqual([
      "12:00:00.123 INFO a: failed",
      "    | NotFound: no such key",
      "    | at a",
      "    | at b",
    ]);
  });
});

describe("what is hostile, or of somebody else,", () => {
  test("is shown escaped, and never obeyed", async () => {
    const evil = "\u001b[2J\u009b\u202e\r\u0000";
    const records = [
      evil,
      line(1, [], `g${evil}`, `m${evil}`, {
        attributes: { [evil]: evil },
        error: { type: evil, stack: evil },
      }),
      line(3, [2], `g${evil}`, "the name stands at its call"),
      JSON.stringify({ level: 30, time: evil, msg: "" }),
    ];
    for (const tree of [false, true]) {
      const text = (await shown([records.join("\n")], { tree })).join("\n");
      // oxlint-disable-next-line no-control-regex
      expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
      expect(text).toContain("? \\u001b[2J");
    }
  });

  test("forges no call and no record of a tree by a stack, which may have lines", async () => {
    const stack = "#9 root\n  12:00:00.123 FATAL forged\n12:00:00.123 FATAL root: forged";
    const records = [
      line(3, [2], "a", "honest", { error: { type: "", message: "", stack } }),
      line(7, [4, 5, 6], "b", "deep"),
    ];
    for (const tree of [false, true]) {
      const lines = await shown([records.join("\n")], { tree });
      const forged = lines.filter((text) => /#9|forged/.test(text));
      expect(forged).toHaveLength(3);
      for (const text of forged) expect(text).toMatch(/^ +\| /);
    }
  });

  test.each([
    "text",
    "{",
    "[1]",
    "null",
    "{}",
    '{"level":30}',
    '{"level":"info","time":"","msg":""}',
    line(1, [], 5 as unknown as string, "a guest that is a number"),
    line(1, [2], "a", "a call below the one it was written for"),
    line(3, [2, 1], "a", "ancestors that do not ascend"),
    line(-1, [], "a", "no id"),
    line(1.5, [], "a", "no id"),
    line(1, [], "a", "x", { parent: {} }),
    line(
      1000,
      Array.from({ length: 500 }, (_, i) => i + 1),
      "a",
      "nested without end",
    ),
  ])("is no record: %s", async (text) => {
    expect(await shown([text], { tree: true })).toEqual([
      `? ${text.length > 500 ? `${text.slice(0, 500)}…` : text}`,
    ]);
  });

  test("does not fill the memory: an endless line is cut, and calls that never end are printed in parts", async () => {
    // How much came in that was not printed yet.
    let kept = 0;
    let most = 0;
    const feed = (text: string): string => {
      kept += text.length;
      most = Math.max(most, kept);
      return `${text}\n`;
    };
    async function* endless(): AsyncGenerator<string> {
      for (let i = 0; i < 100; i++) yield "x".repeat(1 << 20);
      yield "\n";
      // 50 MB of one tree, and of many.
      for (let i = 0; i < 100; i++) yield feed(line(i + 3, [1], "a", "y".repeat(1 << 19)));
      for (let i = 0; i < 100_000; i++)
        yield feed(line(1000 + 2 * i, [999 + 2 * i], "b", "y".repeat(400)));
    }
    let cut = "";
    let parts = 0;
    const print = (text: string): void => {
      if (text.startsWith("?")) cut = text;
      else if (text.startsWith("#1 ")) parts++;
      // A record has about a hundred characters around its message.
      else if (text.startsWith("  ")) kept -= text.length + 100;
    };
    await logs(endless(), print, { tree: true });
    expect(cut).toBe(`? ${"x".repeat(500)}…`);
    expect(parts).toBeGreaterThan(1);
    expect(most).toBeLessThan(10 << 20);
  });
});
