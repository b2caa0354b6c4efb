import { expect, test } from "vitest";
import {
  type BoundMethod,
  Code,
  ConnectError,
  DEFAULT_ABI_LIMITS,
  GuestMemory,
  parkedWord,
} from "../src/index.ts";
import { CallTable } from "../src/call-table.ts";
import { type Incoming, IncomingCalls } from "../src/incoming-calls.ts";
import { OutgoingCalls } from "../src/outgoing-calls.ts";
import type { PendingCall } from "../src/pending-call.ts";

const CALLS = 160;
const MOST = 3000;
const limits = { ...DEFAULT_ABI_LIMITS, calls: CALLS, parkedBytes: 9000, pendingBytes: 20_000 };

/** Numbers in [0, 1) that a seed repeats. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    const mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    return (Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97) >>> 0) / 2 ** 32;
  };
}

/** What the table says of its calls, and what they say. */
function expectCounted(calls: CallTable): void {
  const all = calls.values();
  const sum = (numbers: number[]): number => numbers.reduce((a, b) => a + b, 0);
  const pending = all.filter((call) => call.state === "pending");
  const incoming = all.filter((call) => call.state === "incoming");
  expect(calls).toMatchObject({
    size: all.length,
    held: pending.filter(({ held }) => held).length,
    incoming: incoming.length,
    incomingBytes: sum(incoming.map(({ body }) => body.length)),
    parkedBytes: sum(all.map((call) => (call.state === "parked" ? call.body.length : 0))),
    pendingBytes: sum(pending.map(({ bytes }) => bytes)),
  });
  expect(calls.held).toBeLessThanOrEqual(64);
  expect(calls.parkedBytes).toBeLessThanOrEqual(limits.parkedBytes + MOST + CALLS * 4096);
  expect(calls.pendingBytes).toBeLessThanOrEqual(limits.pendingBytes + MOST + CALLS * 4096);
  for (const { over, held, kept, bytes } of pending) {
    expect(held || kept !== undefined).toBe(over);
    if (over) expect(bytes).toBe(held ? 0 : kept?.body.length);
  }
}

test.each([
  ["that waits", 1],
  ["with an event loop", 2],
])("whatever a guest %s does, what its calls hold is counted", async (_, seed) => {
  const next = random(seed);
  const below = (count: number): number => Math.floor(next() * count);
  const calls = new CallTable(CALLS);
  const memory = new GuestMemory({ buffer: new ArrayBuffer(65_536) });
  const loops = seed === 2;
  const outgoing = new OutgoingCalls(calls, memory, {
    limits,
    bind: () => method,
    incident: String,
    ...(loops && { finished: () => {} }),
  });
  const incoming = new IncomingCalls(calls, memory, limits);
  const open = new Set<PendingCall>();
  const method: BoundMethod<Uint8Array> = {
    name: "test",
    start: () => new Uint8Array(),
    write(response, bytes, at, end) {
      if (response.length > end - at) return -1;
      bytes.set(response, at);
      return response.length;
    },
    encode: (response) => response,
  };
  const received: Incoming[] = [];
  const anyOpen = (): PendingCall | undefined => [...open][below(open.size)];
  const number = (): number =>
    below(10) === 0 ? below(9999) : (calls.values()[below(calls.size)]?.number ?? 0);
  const end = (call: PendingCall, how: (call: PendingCall) => void): void => {
    if (open.delete(call)) how(call);
  };
  const fail = (call: PendingCall): void => {
    call.failed(new ConnectError("n".repeat(below(2) * 5000), Code.Canceled));
  };
  const actions: (() => unknown)[] = [
    () => {
      if (calls.isFull(limits)) return;
      const pending = {
        settle: (call: unknown) => void open.add((one = call as PendingCall)),
        cancel: () => one && end(one, fail),
      };
      let one: PendingCall | undefined;
      outgoing.pend(method, pending, below(MOST), 0, below(MOST));
    },
    () => {
      const call = anyOpen();
      if (call) end(call, () => call.done(new Uint8Array(below(MOST))));
    },
    () => {
      const call = anyOpen();
      if (call) end(call, fail);
    },
    () => {
      const word = outgoing.wait(number(), below(3) === 0 ? -1 : 0, below(MOST));
      if (typeof word !== "number") void word.then((it) => outcomes.add(it));
    },
    () => outgoing.release(number()),
    () => loops && below(20) === 0 && outgoing.deliver(),
    () => {
      if (calls.full || calls.incomingBytes > limits.pendingBytes) return;
      received.push(incoming.accept(new Uint8Array(below(MOST))));
    },
    () => incoming.reply(number(), below(3), 0, below(2)),
    () => received[below(received.length)]?.leave(Code.Canceled),
    () => received[below(received.length)]?.end(() => new ConnectError("no")),
    () => below(20) === 0 && outgoing.park(0, new ConnectError("n", Code.NotFound)),
    () => below(300) === 0 && calls.clear(),
  ];
  const outcomes = new Set<number>();
  const most = { held: 0, kept: 0, parked: 0 };
  for (let step = 0; step < 6000; step++) {
    actions[step % 3 === 0 ? below(2) : below(actions.length)]?.();
    if (step % 7 === 0) expectCounted(calls);
    const all = calls.values();
    most.held = Math.max(most.held, calls.held);
    most.kept = Math.max(
      most.kept,
      all.filter((call) => call.state === "pending" && call.kept).length,
    );
    most.parked = Math.max(most.parked, calls.parkedBytes);
  }
  expect(most).toEqual({ held: 64, kept: expect.any(Number), parked: expect.any(Number) });
  expect(most.kept).toBeGreaterThan(2);
  expect(most.parked).toBeGreaterThan(limits.parkedBytes);
  await Promise.resolve();
  expect(outcomes.has(parkedWord(0, Code.OutOfRange))).toBe(!loops);
  calls.clear();
  expectCounted(calls);
});
