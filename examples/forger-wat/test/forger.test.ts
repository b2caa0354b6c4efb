import { expect, test } from "vitest";
import { forge } from "../main.ts";

const [OK, INVALID, NOT_FOUND, EXHAUSTED, OUT_OF_RANGE] = [0, 3, 5, 8, 11];

/** What each attack is answered, in their order. One that is OK has written one line. */
const ANSWERS: readonly (readonly [string, number])[] = [
  ["line feeds and JSON", OK],
  ["an end of the JSON", OK],
  ["line separators", OK],
  ["escape sequences", OK],
  ["marks that reorder and hide", OK],
  ["keys and values", OK],
  ["a stack", OK],
  ["fields of the host", OK],
  ["names that objects have", OK],
  ["one key twice", OK],
  ["fields that no record has", OK],
  ["a record in two parts", OK],
  ["a time that no calendar has", OK],
  ["numbers that JSON has no word for", OK],
  ["no record", INVALID],
  ["no level", INVALID],
  ["level 7", INVALID],
  ["level -1", INVALID],
  ["whether level 0 is enabled", INVALID],
  ["whether level 99 is enabled", INVALID],
  ["an empty key", INVALID],
  ["text that is no UTF-8", INVALID],
  ["an overlong slash", INVALID],
  ["half of a surrogate pair", INVALID],
  ["a key that is no UTF-8", INVALID],
  ["a length beyond the end", INVALID],
  ["a varint without end", INVALID],
  ["an end of no group", INVALID],
  ["a group in a group, 1,000 deep", INVALID],
  ["a record that is a number", INVALID],
  ["a message of 1,000,000", OK],
  ["a message of escapes", EXHAUSTED],
  ["a message of quotes", EXHAUSTED],
  ["4,096 numbers of 24 digits", EXHAUSTED],
  ["a key of 10,000", OK],
  ["bytes of 10,000", OK],
  ["65 attributes", EXHAUSTED],
  ["1,000,000 attributes", EXHAUSTED],
  ["65 values in a list", EXHAUSTED],
  ["262,144 values of 0 bytes", EXHAUSTED],
  ["a map in a map, all called self", OK],
  ["the same, once more", EXHAUSTED],
  ["a list 8 deep", OK],
  ["a list 9 deep", EXHAUSTED],
  ["a list 4,000 deep", INVALID],
  ["1,025 records", EXHAUSTED],
  ["1,000,000 records below the level", EXHAUSTED],
  ["two records and one without a level", INVALID],
  ["a request above its limit", EXHAUSTED],
  ["a request outside of memory", OUT_OF_RANGE],
  ["a response outside of memory", OUT_OF_RANGE],
  ["a method that was never bound", INVALID],
  ["a method that there is not", NOT_FOUND],
  ["another service", NOT_FOUND],
  ["a method that is no UTF-8", INVALID],
];
const FLOODS = 20_000 + 300;
/** The limits of one guest that hold where the operator says nothing else, and the seconds' worth that may come at once. */
const [RECORDS, BYTES, BURST] = [1_000, 262_144, 10];
/** Characters that end a line, drive a terminal, or hide or reorder text; line feeds aside, which end the lines that there are. */
const EVIL = /[^\P{Cc}\n]|[\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;

interface Line {
  readonly guest?: unknown;
  readonly instance?: unknown;
  readonly level: number;
  readonly msg: string;
  readonly dropped?: number;
  readonly refused?: number;
}

function linesOf(text: string): Line[] {
  expect(text).not.toMatch(EVIL);
  const lines = text.trimEnd().split("\n");
  for (const line of lines) expect(Buffer.byteLength(line)).toBeLessThan(66_000);
  return lines.map((line) => JSON.parse(line) as Line);
}

const sum = (lines: readonly Line[], field: "dropped" | "refused"): number =>
  lines.reduce((total, line) => total + (line[field] ?? 0), 0);

test("a hostile guest gets codes, or has its records counted, and each line is one record of its own", async () => {
  const start = performance.now();
  const { text, counts, exitCode } = await forge();
  const seconds = (performance.now() - start) / 1000;
  expect(exitCode, "every record of a flood was OK").toBe(0);
  const lines = linesOf(text);
  expect(new Set(lines.map(({ guest }) => guest))).toEqual(new Set(["forger"]));

  /** Of each answer: the lines that its attack has written. */
  const attacks: Line[][] = [[]];
  const answers: [string, number][] = [];
  for (const line of lines) {
    const [, code, name = ""] = /^answered (\d\d): (.*)$/.exec(line.msg) ?? [];
    if (code === undefined) attacks.at(-1)?.push(line);
    else {
      answers.push([name, Number(code)]);
      attacks.push([]);
    }
  }
  expect(answers).toEqual(ANSWERS);
  const rest = attacks.pop() ?? [];
  for (const [i, written] of attacks.entries()) {
    // What was told within a second of an attack is the host's.
    const own = written.filter((line) => line.refused === undefined);
    expect(own, ANSWERS[i]?.[0]).toHaveLength(ANSWERS[i]?.[1] === OK ? 1 : 0);
    for (const line of own)
      expect(line).toMatchObject({ instance: 1, level: ANSWERS[i]?.[0] === "a stack" ? 60 : 30 });
  }

  const told = lines.filter((line) => line.dropped !== undefined || line.refused !== undefined);
  const asked = ANSWERS.filter(([, code]) => code === OK).length + ANSWERS.length + FLOODS;
  expect(counts).toMatchObject({ written: lines.length, skipped: 0, lost: 0 });
  expect(lines.length - told.length + counts.dropped, "no record is neither").toBe(asked);
  expect(sum(lines, "dropped")).toBe(counts.dropped);
  expect(sum(lines, "refused")).toBe(counts.refused);
  // The batch of 1,025; what has too many parts counts as one record, since nobody looks how many are in it.
  expect(counts.refused).toBe(1_042);
  expect(lines.length - told.length).toBeLessThanOrEqual(RECORDS * (BURST + seconds));
  expect(rest.every((line) => /^x+$/.test(line.msg) || told.includes(line))).toBe(true);
});

test("a flood of bytes is held to its rate, and what is dropped is told", async () => {
  const start = performance.now();
  const { text, counts, exitCode } = await forge({ limits: { recordsPerSecond: 1e9 } });
  const seconds = (performance.now() - start) / 1000;
  expect(exitCode).toBe(0);
  const lines = linesOf(text);
  expect(counts.dropped).toBeGreaterThan(100);
  expect(sum(lines, "dropped")).toBe(counts.dropped);
  // The last record may overdraw, and the lines that tell are the host's.
  expect(Buffer.byteLength(text)).toBeLessThan(BYTES * (BURST + seconds) + 70_000);
});

test("nothing that it writes drives the terminal of whoever reads it, or begins a line there", async () => {
  const { text, counts, exitCode } = await forge({ pretty: true });
  expect(exitCode).toBe(0);
  expect(text).not.toMatch(EVIL);
  const lines = text.trimEnd().split("\n");
  const first = lines.filter((line) => /^\[[\d:.]+\] (INFO|WARN|FATAL): forger: /.test(line));
  expect(first).toHaveLength(counts.written);
  for (const line of lines) expect(first.includes(line) || line.startsWith("    ")).toBe(true);
});
