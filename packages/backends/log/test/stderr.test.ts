import { type ChildProcess, execFileSync, spawn, type StdioOptions } from "node:child_process";
import { once } from "node:events";
import { closeSync, constants, existsSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, expect, onTestFinished, test } from "vitest";
import { linesOf, scratch } from "./file-log.ts";

/** A host whose log goes to its standard error: the arguments of node. */
function program(lines: string): string[] {
  const code = `
    import { log, Level } from ${JSON.stringify(new URL("../src/index.ts", import.meta.url).href)};
    import { inMemory } from ${JSON.stringify(import.meta.resolve("@dropthrough/dispatch/testing"))};
    const backend = log();
    const memory = inMemory(backend);
    const say = (message) => memory.client("a").write({ record: { level: Level.INFO, message } });
    ${lines}`;
  return ["--input-type=module", "-e", code];
}

/** Runs a program until the test ends. */
function start(command: string, args: readonly string[], stdio: StdioOptions): ChildProcess {
  const child = spawn(command, args, { stdio, cwd: import.meta.dirname });
  onTestFinished(() => void child.kill("SIGKILL"));
  return child;
}

function run(lines: string, stdio: StdioOptions): ChildProcess {
  return start(process.execPath, program(lines), stdio);
}

const FLOOD = `for (let i = 0; i < 200; i++) await say("x".repeat(10_000));`;

describe("standard error", () => {
  test("that is a file is written to where it stands", async () => {
    const path = join(scratch(), "log");
    const fd = openSync(path, "w");
    const child = run(
      `process.stderr.write("before\\n"); await say("hello"); process.stderr.write("after\\n"); process.kill(process.pid, "SIGKILL");`,
      ["ignore", "inherit", fd],
    );
    await once(child, "exit");
    closeSync(fd);
    const [before, line = "", after] = readFileSync(path, "utf8").trimEnd().split("\n");
    expect([before, after]).toEqual(["before", "after"]);
    expect(linesOf(line)[0]?.["msg"]).toBe("hello");
  });

  test("that is a pipe nobody reads holds up neither the guests nor the end of the host", async () => {
    const path = join(scratch(), "fifo");
    execFileSync("mkfifo", [path]);
    const fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
    const writer = openSync(path, constants.O_WRONLY);
    const child = run(
      `${FLOOD} console.log(backend.counts().lost); await memory[Symbol.asyncDispose](); process.exit(0);`,
      ["ignore", "pipe", writer],
    );
    const [out, [code]] = await Promise.all([
      text(child.stdout as NodeJS.ReadableStream),
      once(child, "exit"),
    ]);
    expect([out, code]).toEqual(["0\n", 0]);
    closeSync(fd);
    closeSync(writer);
  });

  test("that is a terminal nobody reads holds up neither the guests nor the end of the host", async () => {
    const done = join(scratch(), "done");
    const lines = `${FLOOD} await memory[Symbol.asyncDispose](); (await import("node:fs")).writeFileSync(${JSON.stringify(done)}, "done");`;
    const file = join(scratch(), "host.mjs");
    writeFileSync(file, program(lines).at(-1) ?? "");
    // script gives it a terminal, and stops reading that when nobody reads script.
    start(
      "script",
      ["-qec", `${process.execPath} ${file}`, "/dev/null"],
      ["ignore", "pipe", "ignore"],
    );
    await expect.poll(() => existsSync(done)).toBe(true);
  });

  test.each(["pipe", "socket"])(
    "that is a %s whose reader has gone does not end the host",
    async (kind) => {
      const lines = `${FLOOD} console.log(JSON.stringify(backend.health().ok)); await memory[Symbol.asyncDispose]();`;
      if (kind === "socket") {
        // The pipes that Node makes for a child are sockets.
        const child = run(lines, ["ignore", "pipe", "pipe"]);
        child.stderr?.destroy();
        const out = await text(child.stdout as NodeJS.ReadableStream);
        expect(out).toBe("false\n");
        return;
      }
      const path = join(scratch(), "fifo");
      execFileSync("mkfifo", [path]);
      const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
      const writer = openSync(path, constants.O_WRONLY);
      const child = run(lines, ["ignore", "pipe", writer]);
      closeSync(writer);
      closeSync(reader);
      expect(await text(child.stdout as NodeJS.ReadableStream)).toBe("false\n");
    },
    30_000,
  );

  test("that is a socket gets every line", async () => {
    const child = run(`${FLOOD} await memory[Symbol.asyncDispose]();`, ["ignore", "pipe", "pipe"]);
    expect(linesOf(await text(child.stderr as NodeJS.ReadableStream))).toHaveLength(200);
  });
});

describe("a log that is closed while lines wait", () => {
  test("says on standard error how many are lost, once", async () => {
    const lines = `
      const other = log({ file: "/dev/full" });
      const into = inMemory(other);
      for (let i = 0; i < 3; i++) await into.client().write({ record: { level: Level.INFO } });
      await into[Symbol.asyncDispose]();
      await other[Symbol.asyncDispose]();`;
    const child = run(lines, ["ignore", "inherit", "pipe"]);
    expect(await text(child.stderr as NodeJS.ReadableStream)).toBe(
      "the log was closed: 3 lines were lost, its sink did not take them\n",
    );
  });

  test("is not held up by a standard error that nobody reads", async () => {
    const path = join(scratch(), "fifo");
    execFileSync("mkfifo", [path]);
    const reader = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
    const writer = openSync(path, constants.O_WRONLY);
    const lines = `
      ${FLOOD}
      const other = log({ file: "/dev/full" });
      const into = inMemory(other);
      await into.client().write({ record: { level: Level.INFO } });
      await into[Symbol.asyncDispose]();
      console.log("closed");
      process.exit(0);`;
    const child = run(lines, ["ignore", "pipe", writer]);
    expect(await text(child.stdout as NodeJS.ReadableStream)).toBe("closed\n");
    closeSync(reader);
    closeSync(writer);
  });
});
