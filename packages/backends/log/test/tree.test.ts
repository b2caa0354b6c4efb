import { create } from "@bufbuild/protobuf";
import {
  type Call,
  createRegistry,
  defineByteEntry,
  LocalCaller,
  type Session,
} from "@dropthrough/dispatch";
import { echo, EchoService } from "@dropthrough/dispatch/testing";
import { expect, test } from "vitest";
import { Level, LogService, RecordSchema } from "../src/index.ts";
import { fileLog, type Line } from "./file-log.ts";

test("records of a tree of calls can be read in causal order: each has its call, its parent and those above", async () => {
  const { backend, lines } = fileLog();
  await using registry = createRegistry();
  registry.use(backend);
  registry.use(echo());

  const say = async (session: Session, message: string): Promise<unknown> =>
    session.unary(LogService.method.write, {
      record: create(RecordSchema, { level: Level.INFO, message }),
    });
  /** A guest that logs while it serves, and calls on. */
  const serve = (name: string, service: string, next?: string): void => {
    const session = registry.connect(new LocalCaller(name));
    const answer = async (_: string, request: Uint8Array, call: Call): Promise<Uint8Array> => {
      session.current = call;
      await say(session, `${name} begins`);
      if (next !== undefined) await callOn(session, next);
      await say(session, `${name} ends`);
      session.current = undefined;
      return request;
    };
    registry.use(
      defineByteEntry({ kind: "guest", name, service, desc: undefined, running: () => 1, answer }),
    );
  };
  const callOn = async (session: Session, service: string): Promise<unknown> => {
    const desc = { ...EchoService.method.echo, parent: { ...EchoService, typeName: service } };
    return session.unary(desc, {});
  };
  serve("store", "x.Store");
  serve("facade", "x.Facade", "x.Store");
  const client = registry.connect(new LocalCaller("client"));
  await say(client, "client begins");
  await Promise.all([callOn(client, "x.Facade"), say(client, "client goes on")]);

  /** A reader: what a record was written for, outermost first. */
  const path = (line: Line): unknown[] => [
    ...((line["ancestors"] as number[] | undefined) ?? []),
    ...(line["parent"] === undefined ? [] : [line["parent"]]),
  ];
  const tree = lines()
    .toSorted((a, b) => Number(a["call"]) - Number(b["call"]))
    .map((line) => [line["msg"], path(line)]);
  expect(tree).toEqual([
    ["client begins", []],
    ["facade begins", [2]],
    ["client goes on", []],
    ["store begins", [2, 5]],
    ["store ends", [2, 5]],
    ["facade ends", [2]],
  ]);
});

test("in a distributed trace each line has the trace, and the span of the call that its guest was answering", async () => {
  const { backend, lines } = fileLog();
  await using registry = createRegistry();
  registry.use(backend);
  const [traceId, spanId] = ["0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"];
  const record = create(RecordSchema, { level: Level.INFO, message: "x" });
  const session = registry.connect(new LocalCaller("guest"));
  const write = async (header?: HeadersInit): ReturnType<typeof session.unary> =>
    session.unary(LogService.method.write, { record }, header && { header });
  await write();
  const { call } = await write({ traceparent: `00-${traceId}-${spanId}-01` });
  session.current = call;
  await write();
  const traces = lines().map((line) => [line["traceId"], line["spanId"]]);
  expect(traces).toEqual([
    [undefined, undefined],
    [traceId, spanId],
    [traceId, call.trace.spanId],
  ]);
});
