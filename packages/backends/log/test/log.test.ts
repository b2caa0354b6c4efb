import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { createWriteStream } from "node:fs";
import { spawnSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Writable } from "node:stream";
import { Code, ConnectError } from "@connectrpc/connect";
import { type InMemory, inMemory, ManualClock } from "@dropthrough/dispatch/testing";
import { afterEach, describe, expect, test } from "vitest";
import { Level, log, type LogBackend, type LogOptions, type LogService } from "../src/index.ts";

const scratch = mkdtempSync(join(tmpdir(), "dropthrough-log-"));
afterEach(() => rmSync(join(scratch, "log"), { force: true }));

async function failure(promise: Promise<unknown>): Promise<ConnectError> {
  return promise.then(
    () => expect.fail("it succeeded"),
    (error: unknown) => ConnectError.from(error),
  );
}

/** A log into a real file, and what stands in it. */
function fileLog(options: LogOptions = {}): {
  backend: LogBackend;
  memory: InMemory<typeof LogService>;
  lines: () => Promise<Record<string, unknown>[]>;
} {
  const path = join(scratch, "log");
  const backend = log({ stream: createWriteStream(path), ...options });
  const memory = inMemory(backend);
  return {
    backend,
    memory,
    async lines(): Promise<Record<string, unknown>[]> {
      await memory[Symbol.asyncDispose]();
      return readFileSync(path, "utf8")
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line) as Record<string, unknown>);
    },
  };
}

describe("a record", () => {
  test("is one line of JSON, with who wrote it and in which call", async () => {
    const { memory, lines } = fileLog();
    await memory.client("words.facade").write({
      record: {
        level: Level.INFO,
        message: "hello",
        attributes: [{ key: "n", value: { kind: { case: "int", value: 3n } } }],
      },
    });
    expect(await lines()).toEqual([
      expect.objectContaining({
        level: 30,
        msg: "hello",
        guest: "words.facade",
        instance: 0,
        call: 1,
        attributes: { n: 3 },
      }),
    ]);
  });

  test("may hold every kind of value", async () => {
    const { memory, lines } = fileLog();
    const value = (kind: object) => ({ kind }) as never;
    const attributes = [
      { key: "s", value: value({ case: "string", value: "x" }) },
      { key: "big", value: value({ case: "int", value: 2n ** 60n }) },
      { key: "d", value: value({ case: "double", value: 1.5 }) },
      { key: "nan", value: value({ case: "double", value: NaN }) },
      { key: "b", value: value({ case: "bool", value: true }) },
      { key: "bytes", value: value({ case: "bytes", value: Uint8Array.of(1, 2) }) },
      {
        key: "list",
        value: value({
          case: "list",
          value: { values: [{ kind: { case: "bool", value: false } }] },
        }),
      },
      {
        key: "map",
        value: value({
          case: "map",
          value: {
            attributes: [{ key: "__proto__", value: { kind: { case: "string", value: "own" } } }],
          },
        }),
      },
      { key: "none" },
    ];
    const error = { type: "NOT_FOUND", message: "no", stack: "a\nb" };
    await memory.client().write({
      record: {
        level: Level.ERROR,
        message: "m",
        attributes,
        error,
        time: { seconds: 1n, nanos: 5_000_000 },
      },
    });
    const [line] = await lines();
    expect(line).toMatchObject({ level: 50, guestTime: "1970-01-01T00:00:01.005Z", error });
    expect(JSON.stringify(line?.["attributes"])).toBe(
      '{"s":"x","big":"1152921504606846976","d":1.5,"nan":"NaN","b":true,"bytes":"AQI=","list":[false],"map":{"__proto__":"own"},"none":null}',
    );
  });

  test("cannot forge a line or drive a terminal, in JSON or pretty", async () => {
    for (const pretty of [false, true]) {
      const { memory } = fileLog({ pretty });
      const evil = 'a\n{"level":60}\r\u001b[2J\u009b31m\u202e\u0000';
      await memory.client().write({
        record: {
          level: Level.INFO,
          message: evil,
          attributes: [{ key: evil, value: { kind: { case: "string", value: evil } } }],
          error: { message: evil, stack: evil },
        },
      });
      await memory[Symbol.asyncDispose]();
      const text = readFileSync(join(scratch, "log"), "utf8");
      // oxlint-disable-next-line no-control-regex -- control characters are what must not be there
      expect(text.replaceAll("\n", "")).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/);
      if (!pretty) expect(text.trim().split("\n")).toHaveLength(1);
    }
  });

  test("is bounded: long text is cut, and what is too deep or too wide is refused", async () => {
    const { memory, lines } = fileLog();
    const client = memory.client();
    await client.write({ record: { level: Level.INFO, message: "x".repeat(1_000_000) } });
    const attribute = { key: "k", value: { kind: { case: "bool", value: true } } } as const;
    expect(
      (
        await failure(
          client.write({
            record: { level: Level.INFO, attributes: Array.from({ length: 65 }, () => attribute) },
          }),
        )
      ).code,
    ).toBe(Code.ResourceExhausted);
    let deep: object = { kind: { case: "bool", value: true } };
    for (let i = 0; i < 9; i++) deep = { kind: { case: "list", value: { values: [deep] } } };
    expect(
      (
        await failure(
          client.write({ record: { level: Level.INFO, attributes: [{ key: "k", value: deep }] } }),
        )
      ).code,
    ).toBe(Code.InvalidArgument);
    expect(
      (await failure(client.write({ record: { level: Level.INFO, attributes: [{ key: "" }] } })))
        .code,
    ).toBe(Code.InvalidArgument);
    expect((await failure(client.write({ record: {} }))).code).toBe(Code.InvalidArgument);
    expect(
      (
        await failure(
          client.writeBatch({
            records: Array.from({ length: 1025 }, () => ({ level: Level.INFO })),
          }),
        )
      ).code,
    ).toBe(Code.ResourceExhausted);
    const written = await lines();
    expect(written).toHaveLength(1);
    expect(String(written[0]?.["msg"]).length).toBeLessThan(17_000);
  });
});

test("a batch is written whole and in order, or not at all", async () => {
  const { memory, lines } = fileLog();
  const records = [1, 2, 3].map((n) => ({ level: Level.INFO, message: String(n) }));
  await memory.client().writeBatch({ records });
  expect((await failure(memory.client().writeBatch({ records: [...records, {}] }))).code).toBe(
    Code.InvalidArgument,
  );
  expect((await lines()).map((line) => line["msg"])).toEqual(["1", "2", "3"]);
});

test("levels are each guest's own, and change while it runs", async () => {
  const { memory, backend, lines } = fileLog({ level: "warn", levels: { b: "trace" } });
  const say = async (name: string, level: Level): Promise<void> => {
    const { enabled } = await memory.client(name).enabled({ level });
    await memory.client(name).write({ record: { level, message: `${name} ${enabled}` } });
  };
  await say("a", Level.INFO);
  await say("b", Level.TRACE);
  backend.setLevel("info");
  backend.setLevel("error", "b");
  await say("a", Level.INFO);
  await say("b", Level.WARN);
  await say("a", Level.FATAL);
  expect((await lines()).map((line) => line["msg"])).toEqual(["b true", "a true", "a true"]);
});

test("a guest that floods the log is held to its rate, and one line says how many records were dropped", async () => {
  const clock = new ManualClock();
  const { memory, lines } = fileLog({ recordsPerSecond: 2, clock });
  const flood = memory.client("flood");
  for (let i = 0; i < 25; i++) await flood.write({ record: { level: Level.INFO, message: "x" } });
  await memory.client("calm").write({ record: { level: Level.INFO, message: "calm" } });
  clock.advance(500);
  await flood.write({ record: { level: Level.INFO, message: "after" } });
  const written = await lines();
  expect(written.filter((line) => line["msg"] === "x")).toHaveLength(20);
  expect(written.slice(20).map((line) => line["msg"])).toEqual([
    "calm",
    "5 records of flood were dropped: it writes more than 2 a second",
    "after",
  ]);
});

describe("a stream", () => {
  test("that stops taking lines blocks nobody; what was dropped is counted, and said when it goes on", async () => {
    const taken: string[] = [];
    let go!: () => void;
    const stuck = new Writable({
      highWaterMark: 1,
      write(chunk: Buffer, _, done) {
        taken.push(chunk.toString());
        if (go === undefined) go = done;
        else done();
      },
    });
    const backend = log({ stream: stuck, bufferBytes: 1000, pretty: false });
    const memory = inMemory(backend);
    for (let i = 0; i < 50; i++)
      await memory.client().write({ record: { level: Level.INFO, message: `line ${i}` } });
    expect(await backend.health?.()).toMatchObject({
      ok: false,
      message: expect.stringContaining("too slow") as string,
    });
    go();
    await memory[Symbol.asyncDispose]();
    const dropped = 50 - taken.filter((line) => line.includes("line ")).length;
    expect(dropped).toBeGreaterThan(0);
    expect(taken.join("")).toContain(`${dropped} lines were dropped: the stream was too slow`);
  });

  test("that is full (a full disk) shows in health, and ends nothing", async () => {
    const fd = openSync("/dev/full", "w");
    const backend = log({ stream: createWriteStream("", { fd, autoClose: false }), pretty: false });
    const memory = inMemory(backend);
    await memory.client().write({ record: { level: Level.INFO, message: "x" } });
    await expect
      .poll(() => backend.health?.())
      .toMatchObject({ ok: false, message: expect.stringContaining("ENOSPC") as string });
    await memory.client().write({ record: { level: Level.INFO, message: "x" } });
    await memory[Symbol.asyncDispose]();
    closeSync(fd);
  });

  test("that its reader has closed (a broken pipe) does not end the process", () => {
    const program = `
      import { log, Level } from ${JSON.stringify(new URL("../src/index.ts", import.meta.url).href)};
      import { inMemory } from "@dropthrough/dispatch/testing";
      const memory = inMemory(log());
      for (let i = 0; i < 100; i++) await memory.client().write({ record: { level: Level.INFO, message: "x".repeat(10000) } });
      await memory[Symbol.asyncDispose]();
      console.log("alive");`;
    const command = `node --input-type=module -e "$PROGRAM" 2>&1 >&3 | head -c 10 >/dev/null`;
    const { stdout } = spawnSync("bash", ["-c", `exec 3>&1; ${command}`], {
      env: { ...process.env, PROGRAM: program },
      cwd: import.meta.dirname,
      encoding: "utf8",
    });
    expect(stdout).toBe("alive\n");
  });

  test("that is a terminal gets lines for people", async () => {
    const terminal = Object.assign(new PassThrough(), { isTTY: true });
    const memory = inMemory(log({ stream: terminal }));
    await memory.client("a").write({ record: { level: Level.WARN, message: "careful" } });
    await memory[Symbol.asyncDispose]();
    expect(String(terminal.read())).toMatch(/WARN.*careful/s);
  });
});
