import { execFileSync } from "node:child_process";
import {
  closeSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Level, log } from "../src/index.ts";
import { fileLog, scratch } from "./file-log.ts";

/** What is written to the file is seen at the next look, a second later. */

test("levels follow their file: when it is there, changes, is broken, and goes", async () => {
  const levelsFile = join(scratch(), "levels.json");
  const file = fileLog({ level: "warn", levels: { b: "error" }, levelsFile });
  const enabled = async (guest: string): Promise<boolean[]> =>
    Promise.all(
      [Level.DEBUG, Level.INFO, Level.WARN].map(
        async (level) => (await file.memory.client(guest).enabled({ level })).enabled,
      ),
    );
  const both = async (): Promise<boolean[][]> => [await enabled("a"), await enabled("b")];
  const given = [
    [false, false, true],
    [false, false, false],
  ];
  expect(await both()).toEqual(given);

  writeFileSync(levelsFile, `{ "level": "info", "levels": { "a": "debug" } }`);
  await expect.poll(both).toEqual([
    [true, true, true],
    [false, false, false],
  ]);
  writeFileSync(levelsFile, `{ "level": "info", "levels": { "b": "debug" } }`);
  const changed = [
    [false, true, true],
    [true, true, true],
  ];
  await expect.poll(both).toEqual(changed);

  writeFileSync(levelsFile, JSON.stringify({ levels: { "b\u001b": "loud" } }));
  await expect
    .poll(file.lines)
    .toMatchObject([
      { level: 40, msg: expect.stringContaining('levels["b\\u001b"] is "loud"') as string },
    ]);
  expect(await both()).toEqual(changed);

  rmSync(levelsFile);
  await expect.poll(both).toEqual(given);
  mkdirSync(levelsFile);
  await expect.poll(() => file.lines().length).toBe(2);
  expect(file.lines()[1]?.["msg"]).toContain("is no file");
  rmSync(levelsFile, { recursive: true });

  // What is wrong is said once, and again when it is something else.
  writeFileSync(levelsFile, "{");
  await expect.poll(() => file.lines().length).toBe(3);
  await new Promise((resolve) => setTimeout(resolve, 2_500));
  expect(file.lines()).toHaveLength(3);
  expect(await both()).toEqual(given);
});

test.each([
  ["[]", "is no object"],
  ["{", "is no JSON"],
  ['{"level":"loud"}', 'level is "loud": write trace'],
  ['{"level":null}', 'level is "null": write trace'],
  ['{"levels":{"a":1}}', 'levels["a"] is "1": write trace'],
  ['{"levels":["debug"]}', "levels is no object"],
  ['{"sampling":{}}', 'has "sampling": write level and levels'],
])("a file of levels that holds %s is refused when the log is made", (text, message) => {
  const levelsFile = join(scratch(), "levels.json");
  writeFileSync(levelsFile, text);
  expect(() => log({ levelsFile })).toThrow(message);
});

/** What nobody should find in the place of a file of levels, and what is said of it. */
const STRANGE: readonly [string, (path: string) => void, string][] = [
  ["a named pipe", (path) => void execFileSync("mkfifo", [path]), "is no file"],
  ["a link to what has no end", (path) => symlinkSync("/dev/zero", path), "is no file"],
  [
    "a file of a gigabyte",
    (path) => {
      closeSync(openSync(path, "w"));
      truncateSync(path, 2 ** 30);
    },
    "has 1073741824 bytes: levels take 1048576 at most",
  ],
  ["a link to itself", (path) => symlinkSync(path, path), "ELOOP"],
];

test.each(STRANGE)(
  "%s is refused, and holds up nobody: neither at the start nor while it runs",
  async (_, put, message) => {
    const levelsFile = join(scratch(), "levels.json");
    const file = fileLog({ levelsFile });
    put(levelsFile);
    expect(() => log({ levelsFile })).toThrow(message);
    await expect
      .poll(() => file.lines().map(({ msg }) => msg))
      .toEqual([expect.stringContaining(message)]);
    // What takes its place at once is seen.
    const next = `${levelsFile}.next`;
    writeFileSync(next, `{ "level": "debug" }`);
    renameSync(next, levelsFile);
    const enabled = async (): Promise<boolean> =>
      (await file.memory.client().enabled({ level: Level.DEBUG })).enabled;
    await expect.poll(enabled).toBe(true);
  },
);
