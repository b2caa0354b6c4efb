import { describe, expect, test } from "vitest";
import {
  Code,
  ConnectError,
  DEFAULT_ABI_LIMITS,
  encodeStatus,
  parkedWord,
  readWord,
  type Reply,
} from "../src/index.ts";
import { ProxyGuest } from "./proxy-guest.ts";

const ECHO = "test.v1.TestService/Echo";
const LATER = "test.v1.TestService/Later";

function bind(guest: ProxyGuest, name: string): number {
  guest.bytes.set(Buffer.from(name), 0);
  return guest.run("bind", [0, name.length]);
}

describe("hostile numbers", () => {
  test("no argument makes an import throw, or touch memory that it was not given", () => {
    const guest = new ProxyGuest({ ...DEFAULT_ABI_LIMITS, calls: 16 });
    bind(guest, ECHO);
    // A fixed seed: a failure comes back.
    let seed = 12345;
    const random = (): number => (seed = (Math.imul(seed, 1103515245) + 12345) | 0);
    const edges = [0, 1, 2, 65535, 65536, 65537, -1, -2, 2147483647, -2147483648, 4096];
    const number = (): number =>
      random() & 1 ? random() : (edges[(random() >>> 8) % edges.length] ?? 0);
    for (let i = 0; i < 50_000; i++) {
      const name =
        (["bind", "call", "read", "reply", "release"] as const)[(random() >>> 8) % 5] ?? "bind";
      const arity = { bind: 2, call: 6, read: 4, reply: 4, release: 1 }[name];
      expect(Number.isInteger(guest.run(name, Array.from({ length: arity }, number)))).toBe(true);
    }
    expect(guest.endpoint.held).toBeLessThanOrEqual(16);
    expect(guest.incidents).toEqual([]);
  });
});

test("a call that is refused for want of room does not reach its handler", () => {
  const guest = new ProxyGuest({ ...DEFAULT_ABI_LIMITS, calls: 1 });
  const later = bind(guest, LATER);
  guest.run("call", [later, 0, 0, 0, 0, 0]);
  expect(guest.run("call", [later, 0, 0, 0, 0, 0])).toBe(parkedWord(0, Code.ResourceExhausted));
  expect(guest.started).toBe(1);
});

test("parked bodies are bounded in bytes", () => {
  const guest = new ProxyGuest({ ...DEFAULT_ABI_LIMITS, parkedBytes: 100 });
  const echo = bind(guest, ECHO);
  expect(readWord(guest.run("call", [echo, 0, 101, 0, 0, 0]))).toMatchObject({
    state: "parked",
    code: 0,
  });
  expect(guest.run("call", [echo, 0, 1, 0, 8, 0])).toBe(parkedWord(0, Code.ResourceExhausted));
  guest.run("release", [1]);
  expect(guest.run("call", [echo, 0, 1, 0, 8, 0])).toBe(1);
});

test("parked bodies are bounded in bytes where the calls were pending, too", async () => {
  const guest = new ProxyGuest({ ...DEFAULT_ABI_LIMITS, parkedBytes: 1000 });
  const later = bind(guest, LATER);
  for (let i = 0; i < 3; i++) guest.run("call", [later, 0, 0, 0, 0, 0]);
  for (const open of guest.open) open.resolve(new Uint8Array(1001));
  expect(await guest.wait([1, 0, 0])).toBe(parkedWord(1, 0));
  expect(await guest.wait([2, 0, 0])).toBe(parkedWord(2, Code.ResourceExhausted));
  expect(guest.run("read", [2, 0, 0, 0])).toBeLessThan(1000);
  expect(await guest.wait([3, 0, 1001])).toBe(1001);
  expect(guest.incidents).toEqual([]);
});

test("a response above the limit is RESOURCE_EXHAUSTED, and not parked", () => {
  const guest = new ProxyGuest({ ...DEFAULT_ABI_LIMITS, responseBytes: 10 });
  const echo = bind(guest, ECHO);
  const word = readWord(guest.run("call", [echo, 0, 11, 100, 100, 0]));
  expect(word).toMatchObject({ state: "parked", code: Code.ResourceExhausted });
  expect(guest.run("call", [echo, 0, 10, 100, 100, 0])).toBe(10);
});

test("a number that was released is not used again before all others were", () => {
  const guest = new ProxyGuest({ ...DEFAULT_ABI_LIMITS, calls: 2 });
  const later = bind(guest, LATER);
  for (let call = 1; call <= 100; call++) {
    expect(readWord(guest.run("call", [later, 0, 0, 0, 0, 0]))).toEqual({ state: "pending", call });
    guest.run("release", [call]);
  }
});

test("release cancels what is pending, and a late completion is dropped", async () => {
  const guest = new ProxyGuest(DEFAULT_ABI_LIMITS);
  const later = bind(guest, LATER);
  guest.run("call", [later, 0, 0, 0, 0, 0]);
  guest.run("release", [1]);
  expect(guest.open[0]?.cancelled).toBe(true);
  guest.open[0]?.resolve(Buffer.from("late"));
  await Promise.resolve();
  expect(guest.endpoint.held).toBe(0);
});

test("a guest with an event loop is told of each finished call, its response in the buffer that it gave", () => {
  let finished = 0;
  const guest = new ProxyGuest(DEFAULT_ABI_LIMITS, () => finished++);
  const later = bind(guest, LATER);
  for (const at of [100, 200, 300]) guest.run("call", [later, 0, 0, at, 4, 0]);
  guest.open[1]?.resolve(Buffer.from("two"));
  guest.open[0]?.reject(new ConnectError("no", Code.NotFound));
  guest.open[2]?.resolve(Buffer.from("three"));
  expect(finished).toBe(3);
  expect(guest.endpoint.deliver()).toEqual({ call: 2, word: 3 });
  expect(Buffer.from(guest.bytes.slice(200, 204)).toString()).toBe("two\0");
  expect(guest.endpoint.deliver()).toEqual({ call: 1, word: parkedWord(1, Code.NotFound) });
  expect(guest.endpoint.deliver()).toEqual({ call: 3, word: parkedWord(3, 0) });
  expect(guest.endpoint.deliver()).toBeUndefined();
  expect(guest.run("read", [3, 0, 300, 10])).toBe(5);
});

test("a guest with an event loop that waits for a pending call is told that it must not", async () => {
  const guest = new ProxyGuest(DEFAULT_ABI_LIMITS, () => {});
  guest.run("call", [bind(guest, LATER), 0, 0, 0, 0, 0]);
  expect(await guest.wait([1, 0, 0])).toBe(parkedWord(0, Code.FailedPrecondition));
});

test("a guest with an event loop that waits with a buffer outside of its memory keeps the buffer that it gave to call", async () => {
  const guest = new ProxyGuest(DEFAULT_ABI_LIMITS, () => {});
  guest.run("call", [bind(guest, LATER), 0, 0, 100, 4, 0]);
  guest.open[0]?.resolve(Buffer.from("four"));
  expect(await guest.wait([1, -8, 8])).toBe(parkedWord(0, Code.OutOfRange));
  expect(guest.endpoint.deliver()).toEqual({ call: 1, word: 4 });
  expect(Buffer.from(guest.bytes.slice(100, 104)).toString()).toBe("four");
  expect(guest.incidents).toEqual([]);
});

test("a guest that is to end is unwound from the import that it is in, and from every later one", async () => {
  const guest = new ProxyGuest(DEFAULT_ABI_LIMITS);
  const later = bind(guest, LATER);
  guest.run("call", [later, 0, 0, 0, 0, 0]);
  const waiting = guest.wait([1, 0, 0]);
  const end = new Error("the end");
  guest.endpoint.unwind(end);
  expect(guest.open[0]?.cancelled).toBe(true);
  guest.open[0]?.reject(new ConnectError("cancelled", Code.Canceled));
  await expect(waiting).rejects.toBe(end);
  expect(() => guest.run("call", [later, 0, 0, 0, 0, 0])).toThrow(end);
});

test("a guest that is to end is unwound though it waits for nothing but what is parked", async () => {
  const guest = new ProxyGuest(DEFAULT_ABI_LIMITS);
  guest.run("call", [bind(guest, ECHO), 0, 1, 0, 0, 0]);
  expect(await guest.wait([1, 0, 0])).toBe(parkedWord(1, 0));
  const end = new Error("the end");
  guest.endpoint.unwind(end);
  await expect(guest.wait([1, 0, 0])).rejects.toBe(end);
});

test("closing an endpoint cancels what its guest waits for, and answers those who wait for the guest", () => {
  const guest = new ProxyGuest(DEFAULT_ABI_LIMITS);
  guest.run("call", [bind(guest, LATER), 0, 0, 0, 0, 0]);
  const replies: Reply[] = [];
  guest.endpoint.accept(new Uint8Array(), (reply) => replies.push(reply));
  guest.endpoint.accept(new Uint8Array(), (reply) => replies.push(reply)).leave(Code.Canceled);
  const crashed = new ConnectError("crashed", Code.Aborted);
  guest.endpoint.close(crashed);
  expect(guest.open[0]?.cancelled).toBe(true);
  expect(replies).toEqual([{ ok: false, error: crashed }]);
  expect(guest.endpoint.held).toBe(0);
});

test("a guest that returned without a reply is answered for, once", () => {
  const guest = new ProxyGuest(DEFAULT_ABI_LIMITS);
  const replies: Reply[] = [];
  const incoming = guest.endpoint.accept(new Uint8Array(), (reply) => replies.push(reply));
  incoming.end(() => new ConnectError("no reply", Code.Internal));
  incoming.end(() => new ConnectError("no reply", Code.Internal));
  expect(replies).toHaveLength(1);
  expect(guest.run("reply", [incoming.number, 0, 0, 0])).toBe(-Code.NotFound);
});

test.each([
  ["details", [0x1a, 0]],
  ["values in a detail", [0x1a, 4, 0x12, 0, 0x12, 0]],
  ["fields that a Status has not", [0x28, 0]],
])("a Status of too many %s is RESOURCE_EXHAUSTED", (_, part) => {
  const guest = new ProxyGuest(DEFAULT_ABI_LIMITS);
  const bytes = Uint8Array.from({ length: 6000 }, (__, i) => part[i % part.length] ?? 0);
  guest.bytes.set(bytes, 0);
  const replies: Reply[] = [];
  const { number } = guest.endpoint.accept(new Uint8Array(), (reply) => replies.push(reply));
  const most = part.length === 2 ? 1024 : 341;
  expect(guest.run("reply", [number, 5, 0, (most + 1) * part.length])).toBe(
    -Code.ResourceExhausted,
  );
  expect(replies).toEqual([]);
  expect(guest.run("reply", [number, 5, 0, most * part.length])).toBe(0);
  expect(replies).toHaveLength(1);
});

test.each([
  ["a code that says that it is a text", [0x0a, 0x80, 0x20]],
  ["a message that says that it is a number", [0x11, 0]],
  ["a detail that says that it is a number", [0x19, 7]],
  ["a detail that ends in the middle of a field", [0x1a, 1, 0x12, 0]],
  ["a value in a detail that says that it is a number", [0x1a, 2, 0x11, 0]],
])("%s hides no field of a Status", (_, start) => {
  const guest = new ProxyGuest(DEFAULT_ABI_LIMITS);
  const bytes = Uint8Array.from([
    ...start,
    ...Array.from({ length: 2048 }, () => [0x1a, 0]).flat(),
  ]);
  guest.bytes.set(bytes, 0);
  const { number } = guest.endpoint.accept(new Uint8Array());
  expect(guest.run("reply", [number, 5, 0, bytes.length])).toBe(-Code.ResourceExhausted);
});

test("a long message is no Status of many fields", () => {
  const guest = new ProxyGuest(DEFAULT_ABI_LIMITS);
  const replies: Reply[] = [];
  const { number } = guest.endpoint.accept(new Uint8Array(), (reply) => replies.push(reply));
  const status = encodeStatus(new ConnectError("x".repeat(9999), Code.NotFound));
  guest.bytes.set(status, 0);
  expect(guest.run("reply", [number, 5, 0, status.length])).toBe(0);
  expect(replies).toMatchObject([{ ok: false, error: { rawMessage: "x".repeat(9999) } }]);
});

test("details of an error reach the guest, and come back from a reply", () => {
  const guest = new ProxyGuest(DEFAULT_ABI_LIMITS);
  const replies: Reply[] = [];
  const { number } = guest.endpoint.accept(new Uint8Array(), (reply) => replies.push(reply));
  // Status { code: 14, message: "m", details: [Any { type_url: "type.googleapis.com/a.B", value: 01 }] }
  const any = [0x0a, 23, ...Buffer.from("type.googleapis.com/a.B"), 0x12, 1, 1];
  const status = [8, 14, 18, 1, 0x6d, 26, any.length, ...any];
  guest.bytes.set(status, 0);
  expect(guest.run("reply", [number, 14, 0, status.length])).toBe(0);
  const [reply] = replies;
  expect(reply?.ok === false && reply.error.details).toEqual([
    { type: "a.B", value: Uint8Array.of(1) },
  ]);
});
