import { fromBinary, toBinary, create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import type { StockResponse } from "./gen/kitchen/v1/kitchen_pb.ts";
import { StockRequestSchema, StockResponseSchema } from "./gen/kitchen/v1/kitchen_pb.ts";
import { startGuest } from "./guests.ts";
import type { Answer, PlainHost } from "./plain-host.ts";
import { failure } from "./plain-host.ts";

const GET = "kitchen.v1.StoreService/Get";
const RESTOCK = "kitchen.v1.KitchenService/Restock";

/** A guest that has started and whose log is empty. */
async function kitchen(prepare?: (host: PlainHost) => void): Promise<PlainHost> {
  const host = await startGuest("kitchen", prepare);
  host.log.length = 0;
  return host;
}

/** Has the guest call the store twice; `key` is what it asks for first. */
function restock(host: PlainHost, key: string, timeoutMs = 0): Promise<Answer> {
  return host.serve(
    RESTOCK,
    toBinary(StockRequestSchema, create(StockRequestSchema, { key, timeoutMs })),
  );
}

function response(answer: Answer): StockResponse {
  if (answer instanceof Uint8Array) return fromBinary(StockResponseSchema, answer);
  throw new Error(`code ${answer.code}: ${text(answer)}`);
}

function text(answer: Answer): string {
  return new TextDecoder().decode(answer instanceof Uint8Array ? answer : answer.status);
}

/** A store that answers the key with "!" behind it, and a blob. */
function store(host: PlainHost, size: number, later: boolean): void {
  host.typed(GET, StockRequestSchema, StockResponseSchema, ({ key }) => {
    const init = { value: `${key}!`, blob: new Uint8Array(size).fill(key.length) };
    return later ? Promise.resolve(init) : init;
  });
}

test("a response that fits costs one call and nothing else", async () => {
  const host = await kitchen((it) => store(it, 4000, false));
  const { value, blob } = response(await restock(host, "a"));
  expect(value).toBe("a a! a!!");
  // The first answer's bytes are intact although the second one came through the same buffer.
  expect(blob).toEqual(new Uint8Array(4000).fill(1));
  expect(host.log).toEqual(["read request 3", `call ${GET} 3`, `call ${GET} 4`]);
});

test("a response that does not fit is parked, read whole, and released; the next one fits", async () => {
  const host = await kitchen((it) => store(it, 10_000, false));
  expect(response(await restock(host, "a")).blob).toEqual(new Uint8Array(10_000).fill(1));
  const first = host.log.slice(1, 5);
  expect(first).toEqual([`call ${GET} 3`, "read 2 0", "read 2 10007", "release 2"]);
  expect(host.log.slice(5)).toEqual([`call ${GET} 4`, "read 3 0", "read 3 10008", "release 3"]);
  host.log.length = 0;
  await restock(host, "a");
  expect(host.log).toEqual(["read request 3", `call ${GET} 3`, `call ${GET} 4`]);
  expect(host.open.size).toBe(0);
});

test("a buffer that one large response needed is given back", async () => {
  let size = 3 << 20;
  const host = await kitchen((it) =>
    it.typed(GET, StockRequestSchema, StockResponseSchema, () => ({ blob: new Uint8Array(size) })),
  );
  await restock(host, "a");
  size = 10_000;
  host.log.length = 0;
  await restock(host, "a");
  expect(host.log.filter((line) => line.startsWith("release"))).toHaveLength(1);
});

test("a pending call is waited for; its body is then where the guest said", async () => {
  const host = await kitchen((it) => store(it, 100, true));
  expect(response(await restock(host, "a")).value).toBe("a a! a!!");
  expect(host.log.slice(1)).toEqual([`call ${GET} 3`, "wait 2", `call ${GET} 4`, "wait 3"]);
  expect(host.open.size).toBe(0);
});

test("a pending call whose response does not fit is waited for, read and released", async () => {
  const host = await kitchen((it) => store(it, 10_000, true));
  expect(response(await restock(host, "a")).blob).toEqual(new Uint8Array(10_000).fill(1));
  expect(host.log.slice(1, 6)).toEqual([
    `call ${GET} 3`,
    "wait 2",
    "read 2 0",
    "read 2 10007",
    "release 2",
  ]);
  expect(host.open.size).toBe(0);
});

test.each([
  ["at once", (answer: Answer): Answer | Promise<Answer> => answer],
  ["after a wait", (answer: Answer): Answer | Promise<Answer> => Promise.resolve(answer)],
])("a failure %s reaches the caller with code and message, and is released", async (_, when) => {
  const host = await kitchen((it) => it.methods.set(GET, () => when(failure(5, "no such key"))));
  const answer = await restock(host, "a");
  expect(answer).toEqual(failure(5, "no such key"));
  expect(host.open.size).toBe(0);
});

test("the details of a failure, and what the guest does not know of it, are passed on", async () => {
  const detail = [0x1a, 4, 0x12, 2, 7, 7];
  const unknown = [0x50, 1];
  const status = Uint8Array.of(8, 14, ...detail, ...unknown);
  const host = await kitchen((it) => it.methods.set(GET, () => ({ code: 14, status })));
  expect(await restock(host, "a")).toEqual({ code: 14, status });
});

test("a failure that the host had no room to keep has its code and no call is released", async () => {
  const host = await kitchen((it) => it.methods.set(GET, () => failure(14, "away")));
  host.roomForBodies = false;
  const answer = await restock(host, "a");
  expect(answer).toMatchObject({ code: 14 });
  expect(text(answer)).toContain(
    "kitchen.v1.StoreService/Get answered UNAVAILABLE and could not say why",
  );
  expect(host.log.filter((line) => /read \d|release/.test(line))).toEqual([]);
});

test("a response that the host had no room to keep is RESOURCE_EXHAUSTED", async () => {
  const host = await kitchen((it) => store(it, 10_000, false));
  host.roomForBodies = false;
  const answer = await restock(host, "a");
  expect(answer).toMatchObject({ code: 8 });
  expect(text(answer)).toContain("could not be read");
});

test("a response that is not a message is INTERNAL and names the method and the type", async () => {
  const host = await kitchen((it) => it.methods.set(GET, () => Uint8Array.of(0xff)));
  const answer = await restock(host, "a");
  expect(answer).toMatchObject({ code: 13 });
  expect(text(answer)).toContain(`the response of ${GET} is not a kitchen.v1.StockResponse`);
});

test("a Status that is not a message still has the code of the word", async () => {
  const host = await kitchen((it) =>
    it.methods.set(GET, () => ({ code: 7, status: Uint8Array.of(0xff) })),
  );
  expect(await restock(host, "a")).toMatchObject({ code: 7 });
});

test("a timeout is given with the call, and no timeout as 0", async () => {
  const host = await kitchen((it) => store(it, 0, false));
  await restock(host, "a", 250);
  expect(host.log.slice(1)).toEqual([`call ${GET} 6 in 250 ms`, `call ${GET} 4`]);
});

test("a method is bound when it is first called, and once", async () => {
  const host = await kitchen((it) => store(it, 0, false));
  expect(host.bound).not.toContain(GET);
  await restock(host, "a");
  await restock(host, "a");
  expect(host.bound.filter((name) => name === GET)).toHaveLength(1);
});

test.each([
  [5, "nobody serves kitchen.v1.StoreService/Get"],
  [7, "this guest was not granted kitchen.v1.StoreService/Get"],
  [9, "kitchen.v1.StoreService/Get was not required"],
  [8, "cannot bind kitchen.v1.StoreService/Get: RESOURCE_EXHAUSTED"],
])(
  "a method that cannot be bound (%i) is a failure that says why, and is tried again",
  async (code, why) => {
    const host = await kitchen((it) => store(it, 0, false));
    host.refused.set(GET, code);
    const answer = await restock(host, "a");
    expect(answer).toMatchObject({ code });
    expect(text(answer)).toContain(why);
    host.refused.clear();
    expect(response(await restock(host, "a")).value).toBe("a a! a!!");
  },
);
