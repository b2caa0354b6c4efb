import { createClient } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import {
  type CallRecord,
  callOf,
  createRegistry,
  createTransport,
  defineBackend,
  LocalCaller,
  readTraceparent,
  type TraceContext,
  writeTraceparent,
} from "../src/index.ts";
import { EchoService } from "../src/testing.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const SPAN = "b7ad6b7169203331";

describe("a traceparent header", () => {
  test.each([
    [`00-${TRACE}-${SPAN}-01`, { traceId: TRACE, spanId: SPAN, flags: 1 }],
    [`00-${TRACE}-${SPAN}-00`, { traceId: TRACE, spanId: SPAN, flags: 0 }],
    [`cc-${TRACE}-${SPAN}-fe-what-the-future-brings`, { traceId: TRACE, spanId: SPAN, flags: 254 }],
    [`cc-${TRACE}-${SPAN}-01`, { traceId: TRACE, spanId: SPAN, flags: 1 }],
  ])("%s is read", (header, parent) => {
    expect(readTraceparent(header)).toEqual(parent);
  });

  test.each([
    "",
    "00",
    `ff-${TRACE}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-01-more`,
    `00-${TRACE}-${SPAN}-1`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    `00-${"0".repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${"0".repeat(16)}-01`,
    `00-${TRACE}x-${SPAN}-01`,
    `cc-${TRACE}-${SPAN}-01.more`,
    ` 00-${TRACE}-${SPAN}-01`,
  ])("%j is none", (header) => {
    expect(readTraceparent(header)).toBeUndefined();
  });

  test("is written as it is read", () => {
    const header = `00-${TRACE}-${SPAN}-0a`;
    const parent = readTraceparent(header);
    expect(parent && writeTraceparent(parent)).toBe(header);
  });
});

/** Calls a backend once, which looks at its call. */
async function seen<T>(look: (call: CallRecord) => T, header?: HeadersInit): Promise<T> {
  await using registry = createRegistry();
  const found: T[] = [];
  registry.use(
    defineBackend({
      name: "looks",
      service: EchoService,
      impl: {
        echo(_, context) {
          const call = callOf(context);
          if (call === undefined) throw new TypeError("no call");
          found.push(look(call));
          return {};
        },
      },
    }),
  );
  const session = registry.connect(new LocalCaller("host"));
  const client = createClient(EchoService, createTransport(session));
  await client.echo({}, header === undefined ? {} : { headers: header });
  return found[0] as T;
}

describe("a call", () => {
  const trace = (call: CallRecord): TraceContext => call.trace;

  test("takes the trace that a program calls with, as a span of its own", async () => {
    const traceparent = `00-${TRACE}-${SPAN}-03`;
    const { spanId, ...rest } = await seen(trace, { traceparent });
    expect(rest).toEqual({ traceId: TRACE, parentSpanId: SPAN, flags: 3 });
    expect(spanId).toMatch(/^[0-9a-f]{16}$/);
    expect(spanId).not.toBe(SPAN);
    expect(await seen((call) => call.isTraced, { traceparent })).toBe(true);
  });

  test("begins a trace where there is none, or none that is valid", async () => {
    for (const header of [undefined, { traceparent: `00-${"0".repeat(32)}-${SPAN}-01` }]) {
      const { traceId, spanId, parentSpanId, flags } = await seen(trace, header);
      expect(traceId).toMatch(/^[0-9a-f]{32}$/);
      expect(spanId).toMatch(/^[0-9a-f]{16}$/);
      expect([traceId === TRACE, parentSpanId, flags]).toEqual([false, undefined, 1]);
      expect(await seen((call) => call.isTraced, header)).toBe(false);
    }
  });

  test("makes its ids once, when they are asked for", async () => {
    const looks = await seen((call) => [call.isTraced, call.trace, call.isTraced, call.trace]);
    expect(looks[0]).toBe(false);
    expect(looks[2]).toBe(true);
    expect(looks[1]).toBe(looks[3]);
  });

  test("made on behalf of another is a span in its trace, however deep, whoever is asked first", async () => {
    await using registry = createRegistry();
    const records: CallRecord[] = [];
    registry.observe({ started: (call) => void records.push(call) });
    registry.use(defineBackend({ name: "echo", service: EchoService, impl: { echo: () => ({}) } }));
    const session = registry.connect(new LocalCaller("guest"));
    for (let depth = 0; depth < 4; depth++) {
      const { call } = await session.unary(EchoService.method.echo, {});
      session.current = call;
    }
    const last = records.at(-1)?.trace;
    const spans = records.map((call) => call.trace);
    expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1);
    expect(new Set(spans.map(({ spanId }) => spanId)).size).toBe(4);
    expect(spans.map(({ parentSpanId }) => parentSpanId)).toEqual([
      undefined,
      ...spans.slice(0, 3).map(({ spanId }) => spanId),
    ]);
    expect(spans[3]).toBe(last);
  });

  test("has its caller, parent and deadline in its record", async () => {
    const record = await seen(({ caller, parent, deadline }) => [caller.name, parent, deadline]);
    expect(record).toEqual(["host", undefined, expect.any(Number)]);
  });
});
