import { spawn } from "node:child_process";
import { describe, expect, test } from "vitest";
import { DeploymentFolder } from "./deployment-folder.ts";
import { line, RECORDS } from "./logged-lines.ts";

describe("dropthrough logs", () => {
  test("reads a file, or standard input as it comes", async () => {
    using folder = new DeploymentFolder();
    folder.write("app.log", RECORDS.join("\n"));
    const { code, stdout, stderr } = await folder.dropthrough([
      "logs",
      "app.log",
      "--tree",
      "--guest",
      "facade",
    ]);
    expect({ code, stdout, stderr }).toEqual({
      code: 0,
      stdout:
        '#2 facade\n  12:00:00.123 INFO facade begins {"n":3}\n  12:00:00.123 INFO facade ends\n',
      stderr: "",
    });
    const bin = new URL("../src/bin.ts", import.meta.url).pathname;
    const child = spawn(process.execPath, [bin, "logs", "-", "--tree"], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    child.stdin.write(`${RECORDS[1] ?? ""}\n`);
    // It is shown though more may come.
    const [first] = await Promise.race([
      new Promise<[Buffer]>((resolve) =>
        child.stdout.once("data", (chunk: Buffer) => resolve([chunk])),
      ),
      new Promise<[Buffer]>((resolve) =>
        child.once("exit", () => resolve([Buffer.from("it ended")])),
      ),
    ]);
    expect(first.toString()).toContain("#2 facade");
    child.stdin.end();
    expect(await new Promise((resolve) => child.once("close", resolve))).toBe(0);
  });

  test("of a tree that is more than its reader takes at once come whole, without a warning", async () => {
    using folder = new DeploymentFolder();
    const records = Array.from({ length: 50 }, (_, i) => line(i + 2, [1], "a", "x".repeat(17_000)));
    folder.write("app.log", records.join("\n"));
    const { code, stdout, stderr } = await folder.dropthrough(["logs", "app.log", "--tree"]);
    expect({ code, stderr, lines: stdout.trimEnd().split("\n").length }).toEqual({
      code: 0,
      stderr: "",
      lines: 51,
    });
  });

  test("that make no sense say what does", async () => {
    using folder = new DeploymentFolder();
    const failed = async (...args: string[]): Promise<[number | null, string]> => {
      const { code, stderr } = await folder.dropthrough(["logs", ...args]);
      return [code, stderr];
    };
    const [nothing, absent, loud] = await Promise.all([
      failed(),
      failed("none.log"),
      failed("a.log", "--level", "loud"),
    ]);
    expect(nothing).toEqual([
      194,
      "dropthrough: logs needs a file, or - for standard input: logs FILE (see dropthrough --help)\n",
    ]);
    expect(absent).toEqual([1, expect.stringContaining("none.log cannot be read: ENOENT")]);
    expect(loud).toEqual([
      194,
      expect.stringContaining('"loud" is no level: there is trace, debug'),
    ]);
  });
});
