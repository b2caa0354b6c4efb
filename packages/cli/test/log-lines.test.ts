import { createReadStream, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  type Call,
  createRegistry,
  defineByteEntry,
  LocalCaller,
  type Session,
} from "@dropthrough/dispatch";
import { EchoService } from "@dropthrough/dispatch/testing";
import { Level, log, LogService, RecordSchema } from "@dropthrough/log";
import { logs, type LogsOptions } from "dropthrough";
import { expect, onTestFinished, test } from "vitest";

type RecordInit = MessageInitShape<typeof RecordSchema>;

/** What is shown of a file, without the times. */
async function shown(path: string, options: LogsOptions): Promise<string[]> {
  const lines: string[] = [];
  await logs(createReadStream(path), (line) => void lines.push(line), options);
  return lines.map((line) => line.replace(/\d\d:\d\d:\d\d\.\d{3} /, ""));
}

test("what the log backend writes is what its reader reads: a client, a facade and a store, each below the call that it was made for", async () => {
  const folder = mkdtempSync(join(tmpdir(), "dropthrough-lines-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "log");
  const registry = createRegistry();
  registry.use(log({ file, limits: { attributes: 1 } }));

  const say = async (session: Session, record: RecordInit): Promise<unknown> =>
    session.unary(LogService.method.write, {
      record: create(RecordSchema, { level: Level.INFO, ...record }),
    });
  const callOn = async (session: Session, service: string): Promise<unknown> =>
    session.unary(
      { ...EchoService.method.echo, parent: { ...EchoService, typeName: service } },
      {},
    );
  const serve = (name: string, service: string, work: (own: Session) => Promise<unknown>): void => {
    const session = registry.connect(new LocalCaller(name));
    const answer = async (_: string, request: Uint8Array, call: Call): Promise<Uint8Array> => {
      session.current = call;
      await work(session);
      session.current = undefined;
      return request;
    };
    registry.use(
      defineByteEntry({ kind: "guest", name, service, desc: undefined, running: () => 1, answer }),
    );
  };
  serve("store\u001b[2J", "x.Store", async (own) =>
    say(own, {
      level: Level.ERROR,
      message: "no such key\n#1 root",
      error: { type: "NotFound", message: "k", stack: "at a\n#1 root\n  INFO forged" },
    }),
  );
  serve("facade", "x.Facade", async (own) => {
    const value = { kind: { case: "int", value: 2n ** 60n } } as const;
    await say(own, { message: "begins", attributes: [{ key: "n", value }] });
    await callOn(own, "x.Store");
    await say(own, { message: "ends" });
  });
  const client = registry.connect(new LocalCaller("client"));
  await say(client, { message: "before" });
  await callOn(client, "x.Facade");
  await say(client, { attributes: [{ key: "a" }, { key: "b" }] }).catch(() => undefined);
  await registry[Symbol.asyncDispose]();

  expect(await shown(file, { tree: true })).toEqual([
    "INFO client: before",
    "#2 facade",
    '  INFO begins {"n":"1152921504606846976"}',
    String.raw`  #4 store\u001b[2J`,
    String.raw`    ERROR no such key\n#1 root`,
    "        | NotFound: k",
    "        | at a",
    "        | #1 root",
    "        |   INFO forged",
    "  INFO ends",
    "WARN client: 1 records of client were refused: 2 attributes are above the limit of 1 at one level: write fewer",
  ]);
  expect(await shown(file, { level: "warn", guest: "client" })).toHaveLength(1);
});
