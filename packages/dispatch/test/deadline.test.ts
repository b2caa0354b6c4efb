import { Code, ConnectError } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import { Call, methodOf, type Session } from "../src/index.ts";
import { systemAlarms } from "../src/system-clock.ts";
import { echo, ManualClock } from "../src/testing.ts";
import { ECHO, failure, outcome, request, sessionOver, start } from "./session-over.ts";

/** A call that a guest is answering, open for as long as a test likes. */
function openCall(session: Session, clock: ManualClock, timeoutMs: number): Call {
  const target = methodOf(echo(), "Echo");
  if (target === undefined) throw new Error("no such method");
  const call = new Call(1, target, session.caller, undefined, timeoutMs, clock);
  let stop: (() => void) | undefined;
  call.arm({
    call,
    failed: () => {},
    get alarmed() {
      return stop !== undefined;
    },
    setAlarm: (at) => (stop = clock.after(at - clock.now(), () => call.late())),
    setAlarmLater() {
      this.setAlarm(call.deadline ?? Infinity);
    },
    stopAlarm: () => stop?.(),
    next: undefined,
    previous: undefined,
  });
  return call;
}

describe("deadlines", () => {
  test("are the one asked for, or the default, and never more than the parent has left", () => {
    const clock = new ManualClock();
    const seen: (number | undefined)[] = [];
    const session = sessionOver(
      { echo: (_, context) => (seen.push(context.timeoutMs()), {}) },
      { clock },
    );
    start(session.bind(ECHO), request, 100);
    start(session.bind(ECHO), request);
    const serving = openCall(session, clock, 1000);
    session.current = serving;
    clock.advance(400);
    start(session.bind(ECHO), request);
    start(session.bind(ECHO), request, 50);
    start(session.bind(ECHO), request, 5000);
    expect(seen).toEqual([100, 30_000, 600, 50, 600]);
  });

  test("a call that was given up takes those made on its behalf with it", async () => {
    const clock = new ManualClock();
    const session = sessionOver({ echo: async () => new Promise<never>(() => {}) }, { clock });
    const serving = openCall(session, clock, 1000);
    session.current = serving;
    const pending = outcome(start(session.bind(ECHO), request));
    serving.abort(new ConnectError("gone", Code.Canceled));
    expect((await failure(pending)).rawMessage).toBe("gone");
    expect(() => start(session.bind(ECHO), request)).toThrow("gone");
  });
});

describe("a call with the deadline of its parent", () => {
  const never = { echo: async () => new Promise<never>(() => {}) };

  test("needs no alarm of its own, and ends with it", async () => {
    const clock = new ManualClock();
    const session = sessionOver(never, { clock });
    session.current = openCall(session, clock, 1000);
    const pending = outcome(start(session.bind(ECHO), request));
    expect(clock.pending).toBe(1);
    clock.advance(1000);
    expect((await failure(pending)).code).toBe(Code.DeadlineExceeded);
    expect(clock.pending).toBe(0);
  });

  test("keeps it when the parent has left it behind", async () => {
    const clock = new ManualClock();
    const session = sessionOver(never, { clock });
    const serving = (session.current = openCall(session, clock, 1000));
    const left = [1, 2].map(async () => outcome(start(session.bind(ECHO), request)));
    serving.end();
    // One that it makes later, too.
    left.push(outcome(start(session.bind(ECHO), request)));
    clock.advance(999);
    expect(clock.pending).toBe(3);
    clock.advance(1);
    for (const pending of left) expect((await failure(pending)).code).toBe(Code.DeadlineExceeded);
    expect(clock.pending).toBe(0);
  });
});

test("a deadline of a second that nobody asked for is met on the system clock, a little late at most", async () => {
  const session = sessionOver({ echo: async () => new Promise<never>(() => {}) }, {});
  const began = performance.now();
  const pending = outcome(start(session.bind(ECHO), request, 1000));
  expect((await failure(pending)).code).toBe(Code.DeadlineExceeded);
  const took = performance.now() - began;
  expect(took).toBeGreaterThanOrEqual(1000);
  expect(took).toBeLessThan(2000);
});

test("calls that have ended leave next to nothing among the alarms of the system clock", async () => {
  const session = sessionOver({ echo: async () => ({}) }, { limits: { defaultTimeoutMs: 60_000 } });
  const before = systemAlarms.kept;
  const bound = session.bind(ECHO);
  for (let i = 0; i < 50; i++)
    await Promise.all(Array.from({ length: 200 }, async () => outcome(start(bound, request))));
  expect(systemAlarms.kept - before).toBeLessThanOrEqual(64);
});
