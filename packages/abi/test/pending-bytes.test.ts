import { expect, test } from "vitest";
import { Code, ConnectError, DEFAULT_ABI_LIMITS, parkedWord, readWord } from "../src/index.ts";
import { ProxyGuest } from "./proxy-guest.ts";

const LATER = "test.v1.TestService/Later";
/** So many outcomes that nobody collects are kept as they are. */
const HELD = 64;
/** More than a failure has that only says what happened. */
const LONG = 5000;

/** A guest with so many calls under way, of requests of so many bytes each; their responses go to 8, where there is room for `cap`. */
function guestWith(
  limits: Partial<typeof DEFAULT_ABI_LIMITS>,
  calls: number,
  {
    request = 0,
    cap = 0,
    finished,
  }: { request?: number; cap?: number; finished?: () => void } = {},
): { guest: ProxyGuest; call: () => number } {
  const guest = new ProxyGuest({ ...DEFAULT_ABI_LIMITS, ...limits }, finished);
  guest.bytes.set(Buffer.from(LATER), 0);
  const method = guest.run("bind", [0, LATER.length]);
  const call = (): number => guest.run("call", [method, 0, request, 8, cap, 0]);
  for (let i = 1; i <= calls; i++) expect(readWord(call())).toEqual({ state: "pending", call: i });
  return { guest, call };
}

test("the requests of pending calls are bounded in bytes; one that is done makes room", async () => {
  const { guest, call } = guestWith({ pendingBytes: 1000 }, 2, { request: 600 });
  expect(call()).toBe(parkedWord(0, Code.ResourceExhausted));
  expect(guest.started).toBe(2);
  guest.open[1]?.resolve(new Uint8Array(3));
  expect(readWord(call())).toEqual({ state: "pending", call: 3 });
  expect(call()).toBe(parkedWord(0, Code.ResourceExhausted));
  guest.run("release", [1]);
  expect(readWord(call())).toEqual({ state: "pending", call: 4 });
  expect(await guest.wait([2, 8, 10])).toBe(3);
});

test("what calls have come to is bounded in bytes while nobody collects it, but for the first of them", async () => {
  const { guest, call } = guestWith({ pendingBytes: 2 * LONG, parkedBytes: 1e6 }, HELD + 4);
  for (const [i, open] of guest.open.entries()) open.resolve(new Uint8Array(LONG).fill(i + 1));
  // Full now: the bytes of two, and a failure that says what was dropped.
  expect(call()).toBe(parkedWord(0, Code.ResourceExhausted));
  for (let number = 1; number <= HELD + 2; number++) {
    expect(await guest.wait([number, 8, LONG])).toBe(LONG);
    expect(guest.bytes[8]).toBe(number);
    expect(guest.bytes[8 + LONG - 1]).toBe(number);
  }
  for (const number of [HELD + 3, HELD + 4]) {
    expect(await guest.wait([number, 8, LONG])).toBe(parkedWord(number, Code.ResourceExhausted));
    const length = guest.run("read", [number, 0, 8, LONG]);
    expect(Buffer.from(guest.bytes.slice(8, 8 + length)).toString()).toContain(
      "wait for calls as they are done",
    );
    guest.run("release", [number]);
  }
  expect(readWord(call())).toMatchObject({ state: "pending" });
  expect(guest.endpoint.held).toBe(1);
  expect(guest.incidents).toEqual([]);
});

test("what calls have come to is bounded in bytes where it was waited for with a buffer that does not exist, too", async () => {
  const { guest, call } = guestWith({ pendingBytes: 2 * LONG, parkedBytes: 1e6 }, HELD + 4);
  const waits = guest.open.map(async (_, i) => guest.wait([i + 1, 0xffff_ffff, 1]));
  for (const open of guest.open) open.resolve(new Uint8Array(LONG));
  expect(new Set(await Promise.all(waits))).toEqual(new Set([parkedWord(0, Code.OutOfRange)]));
  expect(call()).toBe(parkedWord(0, Code.ResourceExhausted));
  for (let number = 1; number <= HELD + 2; number++)
    expect(await guest.wait([number, 8, LONG])).toBe(LONG);
  expect(await guest.wait([HELD + 3, 8, LONG])).toBe(parkedWord(HELD + 3, Code.ResourceExhausted));
});

test("what was kept as bytes and does not fit is parked, and can be waited for with room", async () => {
  const { guest } = guestWith({}, HELD + 3);
  for (const open of guest.open.slice(0, HELD + 2)) open.resolve(Buffer.from("response"));
  guest.open[HELD + 2]?.reject(new ConnectError("no", Code.NotFound));
  const [fits, parked, failed] = [HELD + 1, HELD + 2, HELD + 3];
  expect(await guest.wait([fits, 8, 8])).toBe(8);
  expect(await guest.wait([parked, 8, 7])).toBe(parkedWord(parked, 0));
  expect(guest.run("read", [parked, 0, 100, 8])).toBe(8);
  expect(Buffer.from(guest.bytes.slice(100, 108)).toString()).toBe("response");
  expect(await guest.wait([failed, 8, 8])).toBe(parkedWord(failed, Code.NotFound));
});

test("a guest with an event loop is told of what was kept as bytes, too", () => {
  const { guest } = guestWith({}, HELD + 2, { cap: 8, finished: () => {} });
  for (const open of guest.open) open.resolve(Buffer.from("response"));
  for (let call = 1; call <= HELD + 2; call++)
    expect(guest.endpoint.deliver()).toEqual({ call, word: 8 });
  expect(guest.endpoint.held).toBe(0);
});

test("long failures of pending calls are parked up to the bound, then without what they say", async () => {
  const { guest } = guestWith({ parkedBytes: 2 * LONG, pendingBytes: 1e6 }, HELD + 5);
  const long = new ConnectError("n".repeat(LONG), Code.NotFound);
  for (const open of guest.open) open.reject(long);
  const lengths: number[] = [];
  // Of some that are kept as they are, and of some that are kept as bytes.
  for (const number of [1, 2, 3, HELD + 1, HELD + 2]) {
    expect(await guest.wait([number, 8, 8])).toBe(parkedWord(number, Code.NotFound));
    lengths.push(guest.run("read", [number, 0, 8, LONG * 2]));
  }
  expect(lengths.map((length) => length > LONG)).toEqual([true, true, false, false, false]);
});

test("the requests that a guest is to answer are bounded in bytes, also where their callers have gone", () => {
  const guest = new ProxyGuest({ ...DEFAULT_ABI_LIMITS, pendingBytes: 1000 });
  const calls = [600, 600].map((length) => guest.endpoint.accept(new Uint8Array(length)));
  calls[0]?.leave(Code.Canceled);
  const refused = expect.objectContaining({ code: Code.ResourceExhausted });
  expect(() => guest.endpoint.accept(new Uint8Array())).toThrow(refused);
  expect(guest.run("reply", [calls[0]?.number ?? 0, 0, 0, 0])).toBe(-Code.Canceled);
  calls.push(guest.endpoint.accept(new Uint8Array(600)));
  expect(() => guest.endpoint.accept(new Uint8Array())).toThrow(refused);
  calls[1]?.end(() => new ConnectError("no reply", Code.Internal));
  expect(guest.endpoint.accept(new Uint8Array()).number).toBe(4);
});
