import { expect, test } from "vitest";
import {
  Code,
  ConnectError,
  DEFAULT_ABI_LIMITS,
  type Incoming,
  parkedWord,
  readWord,
} from "../src/index.ts";
import { memoryCopy } from "../src/memory-copy.ts";
import { ProxyGuest } from "./proxy-guest.ts";

const PASS = "test.v1.TestService/Pass";

/** A guest that calls, and a guest that `serve` drives through what it does while the caller is in its import. */
function pair(
  serve: (callee: ProxyGuest, incoming: Incoming) => void,
  caller = new ProxyGuest(DEFAULT_ABI_LIMITS),
): {
  caller: ProxyGuest;
  callee: ProxyGuest;
  call: (at: number, length: number, to: number, room: number) => number;
  settle: () => void;
} {
  const callee = new ProxyGuest(DEFAULT_ABI_LIMITS);
  let settle = (): void => {};
  caller.passTo = (passage) => {
    const incoming = callee.endpoint.accept(passage);
    serve(callee, incoming);
    const { reply } = incoming;
    if (reply?.ok === false) throw reply.error;
    if (reply !== undefined) return reply.body;
    return {
      settle(listener) {
        settle = () => {
          const late = incoming.reply;
          if (late?.ok === true) listener.done(late.body);
          else listener.failed(late?.error);
        };
      },
      cancel: () => incoming.leave(Code.Canceled),
    };
  };
  caller.bytes.set(Buffer.from(PASS), 0);
  const method = caller.run("bind", [0, PASS.length]);
  caller.bytes.fill(0, 0, PASS.length);
  const call = (at: number, length: number, to: number, room: number): number =>
    caller.run("call", [method, at, length, to, room, 0]);
  return { caller, callee, call, settle: () => settle() };
}

/** Reads its request to 100, and replies with it. */
const echo = (callee: ProxyGuest, { number }: Incoming): void => {
  const length = callee.run("read", [number, 0, 100, 60_000]);
  expect(callee.run("reply", [number, 0, 100, length])).toBe(0);
};

test("request and response go from memory to memory, and no other byte changes", () => {
  const { caller, callee, call } = pair(echo);
  // Often enough for JavaScript, and for the module that takes over from it; and one too long for that.
  for (const [times, length] of [
    [600, 64],
    [3, 20_000],
    [2, 0],
  ] as const) {
    for (let time = 0; time < times; time++) {
      const request = Uint8Array.from({ length }, (_, i) => i + time);
      caller.bytes.set(request, 1000);
      const [before, theirs] = [caller.bytes.slice(), callee.bytes.slice()];
      expect(call(1000, length, 30_000, length)).toBe(length);
      before.set(request, 30_000);
      theirs.set(request, 100);
      expect(Buffer.compare(caller.bytes, before)).toBe(0);
      expect(Buffer.compare(callee.bytes, theirs)).toBe(0);
    }
  }
  expect([caller.endpoint.held, callee.endpoint.held]).toEqual([0, 0]);
});

test("two memories can be copied between without JavaScript", () => {
  const [a, b] = [1, 1].map((initial) => new WebAssembly.Memory({ initial }));
  if (a === undefined || b === undefined) throw new Error("no memory");
  new Uint8Array(a.buffer).set([1, 2, 3], 10);
  memoryCopy(a, b)?.(20, 11, 2);
  expect([...new Uint8Array(b.buffer, 19, 4)]).toEqual([0, 2, 3, 0]);
});

test("memories that grow, before a call or in the middle of it, are followed", () => {
  let grow = 0;
  const { caller, call } = pair((callee, incoming) => {
    callee.run("grow", [grow]);
    echo(callee, incoming);
  });
  for (let time = 0; time < 600; time++) {
    grow = time % 100 === 99 ? 1 : 0;
    caller.run("grow", [grow]);
    const at = caller.bytes.length - 8;
    caller.bytes.set(Buffer.from(`${time}`.padStart(8)), at);
    expect(call(at, 8, 2000, 8)).toBe(8);
    expect(Buffer.from(caller.bytes.slice(2000, 2008)).toString().trim()).toBe(`${time}`);
  }
});

test("request and response may lie in the same place", () => {
  const { caller, call } = pair((callee, { number }) => {
    callee.run("read", [number, 0, 100, 8]);
    callee.bytes.set(Buffer.from("answer!!"), 200);
    callee.run("reply", [number, 0, 200, 8]);
    expect(callee.run("read", [number, 0, 100, 8])).toBe(-Code.NotFound);
  });
  caller.bytes.set(Buffer.from("question"), 1000);
  expect(call(1000, 8, 1004, 8)).toBe(8);
  expect(Buffer.from(caller.bytes.slice(1000, 1012)).toString()).toBe("quesanswer!!");
});

test("a request is read in pieces, and no byte beyond it", () => {
  const { caller, call } = pair((callee, { number }) => {
    expect(callee.run("read", [number, 0, 0, 0])).toBe(6);
    expect(callee.run("read", [number, 4, 500, 100])).toBe(6);
    expect(callee.run("read", [number, 6, 500, 100])).toBe(6);
    expect(callee.run("read", [number, 7, 500, 100])).toBe(-Code.OutOfRange);
    expect(callee.run("read", [number, 0, 65_535, 2])).toBe(-Code.OutOfRange);
    expect(callee.run("read", [number, -1, 500, -1])).toBe(-Code.OutOfRange);
    expect(Buffer.from(callee.bytes.slice(498, 506)).toString()).toBe("\0\0ef\0\0\0\0");
    expect(callee.run("reply", [number, 0, 65_535, 2])).toBe(-Code.OutOfRange);
    expect(callee.run("reply", [number, 0, 500, 2])).toBe(0);
    expect(callee.run("reply", [number, 0, 500, 2])).toBe(-Code.NotFound);
  });
  caller.bytes.set(Buffer.from("abcdefsecret"), 1000);
  expect(call(1000, 6, 2000, 2)).toBe(2);
});

test("a response that does not fit is parked, and nothing of it is written", () => {
  const { caller, call } = pair(echo);
  caller.bytes.set(Buffer.from("12345"), 1000);
  expect(call(1000, 5, 2000, 4)).toBe(parkedWord(1, 0));
  expect(caller.bytes.slice(2000, 2008)).toEqual(new Uint8Array(8));
  expect(caller.run("read", [1, 0, 2000, 8])).toBe(5);
  expect(Buffer.from(caller.bytes.slice(2000, 2005)).toString()).toBe("12345");
});

test("a failure writes nothing into the caller's buffer", () => {
  const { caller, call } = pair((callee, { number }) => {
    callee.bytes.set([8, 5, 18, 2, 0x6e, 0x6f], 100);
    callee.run("reply", [number, Code.NotFound, 100, 6]);
  });
  expect(readWord(call(1000, 5, 2000, 100))).toEqual({ state: "parked", call: 1, code: 5 });
  expect(caller.bytes.slice(2000, 2100).some((byte) => byte !== 0)).toBe(false);
});

test("a callee that takes its time reads the request as it was, and replies when the caller has moved on", async () => {
  let later: Incoming | undefined;
  const { caller, callee, call, settle } = pair((_callee, incoming) => (later = incoming));
  caller.bytes.set(Buffer.from("as it was"), 1000);
  expect(readWord(call(1000, 9, 2000, 100)).state).toBe("pending");
  caller.bytes.fill(0xdb);
  const { number } = later as Incoming;
  expect(callee.run("read", [number, 0, 100, 9])).toBe(9);
  expect(Buffer.from(callee.bytes.slice(100, 109)).toString()).toBe("as it was");
  expect(callee.run("reply", [number, 0, 100, 9])).toBe(0);
  // Where the response goes, the caller says when it waits.
  expect(caller.bytes.every((byte) => byte === 0xdb)).toBe(true);
  settle();
  expect(await caller.wait([1, 3000, 100])).toBe(9);
  expect(Buffer.from(caller.bytes.slice(3000, 3009)).toString()).toBe("as it was");
  expect(caller.bytes.slice(2000, 2100).every((byte) => byte === 0xdb)).toBe(true);
});

test("a callee that ends in the middle of a call leaves the caller's buffer alone", () => {
  const { caller, callee, call } = pair((served) =>
    served.endpoint.close(new ConnectError("gone", Code.Aborted)),
  );
  expect(readWord(call(1000, 5, 2000, 100))).toMatchObject({ code: Code.Aborted });
  expect(caller.bytes.slice(2000, 2100).some((byte) => byte !== 0)).toBe(false);
  expect(callee.endpoint.held).toBe(0);
});
