import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startRedisServer } from "@dropthrough/redis/testing";
import { check } from "dropthrough";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { deployment } from "../deployment.ts";
import { reference } from "./reference.ts";
import { words, wordsUnread, wordsWithoutGeneratedCode, wordsWithoutPrivilege } from "./run.ts";

let folder: string;
const at = (...names: string[]): string => join(folder, ...names);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "dropthrough-words-"));
  mkdirSync(at("text/deep/er"), { recursive: true });
  writeFileSync(at("text/a.txt"), "The cat. THE dog! the-end, don't\n42 4 2\tétude ÉTUDE naïve\n");
  writeFileSync(at("text/deep/b.txt"), "zebra yak zebra yak ant ant x1 1x");
  writeFileSync(at("text/deep/er/empty.txt"), "");
  // Words over the edges of the chunks that the client reads (65,536 bytes), and at the end of a file.
  writeFileSync(
    at("text/deep/er/long.txt"),
    `${"ab ".repeat(21_844)}edge-edgeEDGE ${"x".repeat(70_000)} the`,
  );
  writeFileSync(
    at("text/latin1.txt"),
    Buffer.from("caf\xe9 caf\xe9 \xff\xfe caf\xc3\xa9", "latin1"),
  );
  writeFileSync(at("text/late-nul.txt"), `${"w".repeat(8192)}\0late`);
  writeFileSync(at("text/binary.bin"), `${"w".repeat(8191)}\0early`);
  symlinkSync("a.txt", at("text/link"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const table = (json: string): [string, number][] => JSON.parse(json) as [string, number][];

describe("the table", () => {
  test("is what the definition says, whatever the files hold", async () => {
    const { code, stdout, stderr } = await words([at("text"), "--json", "--top", "10000"]);
    // A word that is no UTF-8 is shown with U+FFFD, one for each byte that is not.
    expect(table(stdout)).toEqual(reference(at("text"), 10_000));
    expect(table(stdout)[0]).toEqual(["ab", 21_844]);
    expect(stderr).toContain(`skipped ${at("text/binary.bin")}: binary\n`);
    expect(stderr).toContain(`skipped ${at("text/link")}: a link\n`);
    expect(stderr).toContain("counted the words of 6 files, skipped 2\n");
    expect(code).toBe(0);
  });

  test("is the same with a real Redis server, which keeps nothing of it", async () => {
    await using server = await startRedisServer();
    for (const path of [
      at("text"),
      new URL("../../../packages/abi", import.meta.url).pathname.replace(/\/$/, ""),
    ]) {
      const embedded = await words([path, "--json", "--top", "500"]);
      const real = await words([path, "--json", "--top", "500", "--redis", server.url]);
      expect(real.stdout).toBe(embedded.stdout);
      expect(table(real.stdout)).toEqual(reference(path, 500));
      expect([embedded.code, real.code]).toEqual([0, 0]);
    }
    const { stdout } = spawnSync("redis-cli", ["-p", String(server.port), "dbsize"], {
      encoding: "utf8",
    });
    expect(stdout.trim()).toBe("0");
  });

  test("is the same where the engine may not make code of strings, and protobuf-es does the work of the codec", async () => {
    await using server = await startRedisServer();
    const args = [at("text"), "--json", "--top", "500"];
    for (const more of [[], ["--redis", server.url]]) {
      const { code, stdout, stderr } = await wordsWithoutGeneratedCode([...args, ...more]);
      expect(stderr).toContain("counted the words of 6 files, skipped 2\n");
      expect(table(stdout)).toEqual(reference(at("text"), 500));
      expect(code).toBe(0);
    }
  });

  test("has the top 20, aligned, and its order is by count, then by bytes", async () => {
    const { stdout } = await words([at("text/deep/b.txt")]);
    expect(stdout).toBe(
      "count  word\n    2  ant\n    2  yak\n    2  zebra\n    1  1x\n    1  x1\n",
    );
    expect((await words([at("text")])).stdout.trim().split("\n")).toHaveLength(21);
    expect((await words([at("text"), "--top", "1"])).stdout).toBe("count  word\n21844  ab\n");
  });

  test("cannot drive a terminal: control characters in a word are escaped", async () => {
    writeFileSync(at("evil.txt"), "evil\u009b31m");
    expect((await words([at("evil.txt")])).stdout).toContain("1  evil\\u009b31m\n");
    expect(table((await words([at("evil.txt"), "--json"])).stdout)).toEqual([["evil\u009b31m", 1]]);
  });

  test("of nothing is empty", async () => {
    mkdirSync(at("nothing"));
    expect(await words([at("nothing"), "--json"])).toMatchObject({ code: 0, stdout: "[]\n" });
  });
});

test("the deployment has nothing that dropthrough check would find", async () => {
  expect(await check(deployment({ paths: [at("text")] }))).toEqual([]);
});

describe("a trace", () => {
  test("shows client, facade and Redis, one within the other", async () => {
    const { stderr } = await words([at("text/deep/b.txt"), "--trace"]);
    const lines = stderr.split("\n").map((line) => line.replace(/ [\d.]+ (µs|ms|s)$/, ""));
    const add = lines.findIndex((line) =>
      line.startsWith(
        '==> words.client words.v1.WordsService/Add {"words":{"zebra":2,"yak":2,"ant":2',
      ),
    );
    expect(add).toBeGreaterThan(0);
    expect(
      lines
        .slice(add + 1, lines.indexOf('<== OK {"added":5}', add))
        .filter((line) => line.startsWith("  ==> ")),
    ).toEqual([
      "  ==> words.facade dropthrough.redis.v1.RedisService/Open {}",
      expect.stringContaining("  ==> words.facade dropthrough.log.v1.LogService/Write"),
      expect.stringContaining(
        "  ==> words.facade dropthrough.redis.v1.RedisService/SortedSetIncrement",
      ),
      expect.stringContaining("  ==> words.facade dropthrough.redis.v1.RedisService/Expire"),
    ]);
  });
});

describe("what goes wrong is said in one line, and nothing hangs:", () => {
  test.each([
    [["/nowhere/at/all"], "words: /nowhere/at/all does not exist\n"],
    [["--top", "0"], "words: --top takes a number from 1 to 10000\n"],
    [["--redis", "nonsense"], 'words: "nonsense" is no URL: write redis://HOST:PORT\n'],
    [["a", "b"], "words: name one folder\n"],
  ])("%j", async (args, stderr) => {
    expect(await words(args)).toEqual({ code: 2, stdout: "", stderr });
  });

  test("a file and a folder without read permission", async () => {
    mkdirSync(at("private/closed"), { recursive: true });
    writeFileSync(at("private/a.txt"), "open");
    writeFileSync(at("private/b.txt"), "closed");
    chmodSync(at("private/b.txt"), 0);
    chmodSync(at("private/closed"), 0);
    const { code, stdout, stderr } = await wordsWithoutPrivilege([at("private"), "--json"]);
    chmodSync(at("private/closed"), 0o700);
    expect(table(stdout)).toEqual([["open", 1]]);
    expect(stderr).toContain(`${at("private/b.txt")}: the operating system does not allow it\n`);
    expect(stderr).toContain(`${at("private/closed")}: the operating system does not allow it\n`);
    expect(stderr).toContain("counted the words of 1 file, could not read 2\n");
    expect(code).toBe(1);
  });

  test("a word of more than 1 MiB", async () => {
    writeFileSync(at("huge.txt"), `a ${"x".repeat(2 ** 20)} ${"y".repeat(2 ** 20 + 1)} b`);
    const { code, stdout, stderr } = await words([at("huge.txt"), "--json"]);
    expect(table(stdout).map(([word, count]) => [word.length, count])).toEqual([
      [1, 1],
      [1, 1],
      [2 ** 20, 1],
    ]);
    expect(stderr).toContain(`${at("huge.txt")}: 1 word of more than 1048576 bytes not counted\n`);
    expect(code).toBe(1);
  });

  test("a Redis server that is not there", async () => {
    const { code, stdout, stderr } = await words([at("text"), "--redis", "redis://127.0.0.1:1"]);
    expect([code, stdout]).toEqual([75, ""]);
    expect(stderr).toContain("words: not available right now, please try again\n");
  });

  test.each(["kill", "pause"] as const)(
    "a Redis server that stops in the middle (%s)",
    { timeout: 90_000 },
    async (how) => {
      await using server = await startRedisServer();
      // Enough for many batches, so that there is a middle.
      mkdirSync(at(`many-${how}`));
      for (let i = 0; i < 40; i++) {
        const text = Array.from({ length: 5_000 }, (_, n) => `w${i}x${n}`).join(" ");
        writeFileSync(at(`many-${how}`, `${i}.txt`), text);
      }
      let stopped: Promise<void> | undefined;
      const { code, stdout, stderr } = await words(
        [at(`many-${how}`), "--redis", server.url, "--trace"],
        (said) => {
          if (stopped === undefined && said.includes('<== OK {"added"'))
            stopped = Promise.resolve(server[how]());
        },
      );
      await stopped;
      server.resume();
      expect([code, stdout]).toEqual([75, ""]);
      expect(stderr).toContain("words: not available right now, please try again\n");
      // The details are in the log, and only there.
      expect(stderr).toMatch(
        /"guest":"words.facade".*"msg":"Add failed: (UNAVAILABLE|DEADLINE_EXCEEDED)/,
      );
    },
  );

  test("a reader that has seen enough", async () => {
    const { code, stderr } = await wordsUnread([at("text"), "--top", "10000"]);
    expect(stderr).toContain("counted the words of 6 files, skipped 2\n");
    expect(stderr).not.toContain("    at ");
    expect(code).toBe(0);
  });
});
