import { execFile } from "node:child_process";
import { startRedisServer } from "@dropthrough/redis/testing";
import { check } from "dropthrough";
import { describe, expect, test } from "vitest";
import config from "../dropthrough.config.ts";

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const main = new URL("../main.ts", import.meta.url).pathname;

/** Runs the example as a user does. */
async function sessions(...args: readonly string[]): Promise<Outcome> {
  const env = { ...process.env };
  delete env["REDIS_URL"];
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [main, ...args], { env }, (_, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, stdout, stderr }),
    );
  });
}

const done = { code: 0, stdout: "", stderr: "" };

test("the tour uses every call", async () => {
  expect(await sessions()).toEqual({
    code: 0,
    stdout: `> put ada two books in her cart
> put grace on page three 60000
> get ada
two books in her cart
> touch ada
> count
2
> end ada
> get ada
there is no such session, or its time is up: begin one with Put
> end grace
`,
    stderr: "",
  });
});

test("a trace shows client, facade and Redis, one within the other, and what only the facade knows", async () => {
  const { stderr } = await sessions("--trace", "put", "ada", "x");
  const lines = stderr.split("\n");
  const put = lines.findIndex((line) =>
    line.startsWith("==> sessions.client dropthrough.session.v1.SessionService/Put"),
  );
  expect(put).toBeGreaterThan(0);
  const [first = "", second = ""] = lines
    .slice(put + 1)
    .filter((line) => line.startsWith("  ==> session dropthrough.redis"));
  expect(first).toContain("RedisService/Open");
  expect(second).toMatch(/RedisService\/Set .*session:ada.*"expire_in_ms":"?1800000/);
  expect(lines[put]).not.toContain("connection");
});

test("the deployment has nothing that dropthrough check would find", async () => {
  expect(await check(config)).toEqual([]);
});

describe("with a real Redis", () => {
  test("a session outlives the run, and its time", async () => {
    await using server = await startRedisServer();
    const run = (...args: string[]): Promise<Outcome> => sessions("--redis", server.url, ...args);
    expect(await run("put", "ada", "two books")).toEqual(done);
    expect(await run("put", "short", "x", "1")).toEqual(done);
    expect(await run("get", "ada")).toEqual({ ...done, stdout: "two books\n" });
    expect(await run("get", "short")).toEqual({
      code: 1,
      stdout: "",
      stderr: "sessions: there is no such session, or its time is up: begin one with Put\n",
    });
    expect(await run("count")).toEqual({ ...done, stdout: "1\n" });
    expect(await run("touch", "ada", "60000")).toEqual(done);
    expect(await run("end", "ada")).toEqual(done);
    expect(await run("count")).toEqual({ ...done, stdout: "0\n" });
  });

  test("one that is not there is said in one line, with the details in the log", async () => {
    const { code, stdout, stderr } = await sessions("--redis", "redis://127.0.0.1:1", "count");
    expect([code, stdout]).toEqual([75, ""]);
    expect(stderr).toContain("sessions: not available right now, please try again\n");
    expect(stderr).toMatch(/"guest":"session".*"msg":"Count failed: UNAVAILABLE/);
  });
});

test.each([
  [["put", "ada"], "sessions: put ID TEXT [MS], get ID, touch ID [MS], end ID or count\n"],
  [["nonsense"], "sessions: put ID TEXT [MS], get ID, touch ID [MS], end ID or count\n"],
  [["put", "ada", "x", "soon"], "sessions: soon is no number of milliseconds\n"],
  [["get", ""], "sessions: an id has 1 to 256 bytes\n"],
  [["--redis", "nonsense"], 'sessions: "nonsense" is no URL: write redis://HOST:PORT\n'],
  [["--nonsense"], /^sessions: Unknown option '--nonsense'/],
])("what makes no sense is usage: %j", async (args, stderr) => {
  const outcome = await sessions(...args);
  expect([outcome.code, outcome.stdout]).toEqual([2, ""]);
  expect(outcome.stderr).toMatch(stderr);
});
