import { mkdirSync, rmSync, writeFileSync } from "node:fs";
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
  expect(file.lines()[1]?.["msg"]).toContain("EISDIR");
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
