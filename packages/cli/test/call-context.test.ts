import type { CallRecord } from "@dropthrough/dispatch";
import { expect, test } from "vitest";
import { ECHO_BACK, KernelGuest, payload, REPLY_WORD } from "./kernel-guest.ts";
import { ask, ECHO, KernelHost, NOTE, settled } from "./kernel-host.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const SPAN = "b7ad6b7169203331";

/** A guest that serves x.a by asking x.b, and notes it. */
function facade(): Uint8Array<ArrayBuffer> {
  const g = new KernelGuest();
  return g.guest({
    initialize: g.launch({ exports: ["x.a"], requires: ["x.b"] }),
    serve: `
      ${g.must(NOTE, payload("asks"))}
      (drop (call $read (local.get $call) (i32.const 0) (i32.const 4096) (local.get $len)))
      (local.set $w (call $finish (call $start (call $bound ${g.data("x.b/Echo")}) (i32.const 4096) (local.get $len) (i32.const 0))))
      ${REPLY_WORD}`,
  });
}

/** A guest that receives, and asks the echo backend for each call. */
function receiver(): Uint8Array<ArrayBuffer> {
  const g = new KernelGuest();
  return g.guest({
    start: `${g.launch({ exports: ["x.b"] })}
      ${g.loop({ incoming: `${g.must(ECHO, payload("", 5))} ${ECHO_BACK}` })}`,
  });
}

/** What is seen of one call through both guests. */
async function calls(look: (call: CallRecord) => unknown, header: HeadersInit): Promise<unknown[]> {
  const seen: unknown[] = [];
  await using it = new KernelHost(
    [
      { name: "b", module: receiver(), exports: ["x.b"] },
      { name: "a", module: facade(), exports: ["x.a"] },
    ],
    {
      observers: [
        { ended: (call) => void (call.name.includes("KernelService") || seen.push(look(call))) },
      ],
    },
  );
  await it.host.start();
  expect(await ask(it.client("x.a"), "hi", { headers: header })).toBe("hi");
  await settled();
  return seen;
}

test("a trace that the program brings goes through guests that serve and guests that receive, each call a span", async () => {
  const traceparent = `00-${TRACE}-${SPAN}-01`;
  const spans: string[] = [];
  const seen = await calls(
    ({ name, trace }) => {
      spans.push(trace.spanId);
      return [name, trace.traceId, trace.parentSpanId];
    },
    { traceparent },
  );
  const [note, echo, b, a] = spans;
  expect(seen).toEqual([
    [NOTE, TRACE, a],
    [ECHO, TRACE, b],
    ["x.b/Echo", TRACE, a],
    ["x.a/Echo", TRACE, SPAN],
  ]);
  expect(new Set([note, echo, b, a]).size).toBe(4);
});

test("the context of a call has no byte in a payload", async () => {
  const sizes = ({ name, requestBytes }: CallRecord): unknown => [name, requestBytes];
  const traced = await calls(sizes, { traceparent: `00-${TRACE}-${SPAN}-01` });
  expect(traced).toEqual(await calls(sizes, {}));
});
