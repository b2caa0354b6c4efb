import { isMessage } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { isPending, type Pending } from "@dropthrough/abi";
import { describe, expect, test, vi } from "vitest";
import { Deferred, type Interceptor } from "../src/index.ts";
import { EchoService, inMemory, echo as echoBackend, ManualClock } from "../src/testing.ts";
import { ECHO, failure, outcome, request, sessionOver, start } from "./session-over.ts";

interface Answer {
  readonly payload: Uint8Array;
}
const HI: Answer = { payload: Buffer.from("hi") };
const refused = new ConnectError("refused", Code.PermissionDenied);

/** Who listens, and what it was told. */
function listen(pending: unknown): { told: unknown[] } {
  const told: unknown[] = [];
  if (!isPending(pending)) throw new Error("not pending");
  pending.settle({
    done: (message) => void told.push(message),
    failed: (error) => void told.push(error),
  });
  return { told };
}

describe("a deferred answer", () => {
  test("is the answer of its call as soon as it is resolved, with no turn of the microtasks between", () => {
    const deferred = new Deferred<Answer>();
    const { told } = listen(start(sessionOver({ echo: () => deferred }).bind(ECHO), request));
    expect(told).toEqual([]);
    deferred.resolve(HI);
    expect(told).toHaveLength(1);
    expect(isMessage(told[0], EchoService.method.echo.output)).toBe(true);
    expect(told[0]).toMatchObject(HI);
  });

  test("fails its call as soon as it is rejected, and what is no ConnectError is a bug of the host", () => {
    const deferred = [new Deferred<Answer>(), new Deferred<Answer>()] as const;
    const onIncident = vi.fn<() => void>();
    let next = 0;
    const session = sessionOver({ echo: () => deferred[next++] ?? HI }, { onIncident });
    const calls = deferred.map(() => listen(start(session.bind(ECHO), request)));
    deferred[0].reject(refused);
    deferred[1].reject(new Error("a bug"));
    expect(calls[0]?.told).toEqual([refused]);
    expect(onIncident).toHaveBeenCalledOnce();
    expect(calls[1]?.told).toMatchObject([{ code: Code.Internal }]);
  });

  test("may be settled before the handler returns", async () => {
    const settled = [new Deferred<Answer>(), new Deferred<Answer>()] as const;
    settled[0].resolve(HI);
    settled[1].reject(refused);
    let next = 0;
    const session = sessionOver({ echo: () => settled[next++] ?? HI });
    expect(await outcome(start(session.bind(ECHO), request))).toMatchObject(HI);
    expect(await failure(outcome(start(session.bind(ECHO), request)))).toBe(refused);
  });

  test("that is no message of the method is a bug of the host", async () => {
    const deferred = new Deferred<Answer>();
    const session = sessionOver({ echo: () => deferred });
    const failed = failure(outcome(start(session.bind(ECHO), request)));
    deferred.resolve(7 as unknown as Answer);
    expect((await failed).code).toBe(Code.Internal);
  });

  test("that comes after the deadline, or after its caller has left, is dropped", async () => {
    const late = new Deferred<Answer>();
    const call = start(sessionOver({ echo: () => late }).bind(ECHO), request, 10);
    const told = vi.fn<(error: unknown) => void>();
    await outcome(call).catch(told);
    late.resolve(HI);
    expect(told).toHaveBeenCalledExactlyOnceWith(
      expect.objectContaining({ code: Code.DeadlineExceeded }),
    );
    const left = new Deferred<Answer>();
    const pending = start(sessionOver({ echo: () => left }).bind(ECHO), request);
    const gone = listen(pending);
    (pending as Pending<unknown>).cancel();
    left.resolve(HI);
    expect(gone.told).toMatchObject([{ code: Code.Canceled }]);
  });

  test("is told by the clock where that chooses the order", async () => {
    const deferred = new Deferred<Answer>();
    const deliveries: (() => void)[] = [];
    const { told } = listen(
      start(
        sessionOver(
          { echo: () => deferred },
          {
            clock: {
              ...clockOf(new ManualClock()),
              soon: (run) => void deliveries.push(run),
              settled: (promise, done, failed) =>
                void promise.then(
                  (value) => deliveries.push(() => done(value)),
                  (error: unknown) => deliveries.push(() => failed(error)),
                ),
            },
          },
        ).bind(ECHO),
        request,
      ),
    );
    deferred.resolve(HI);
    await new Promise((resolve) => void setImmediate(resolve));
    expect(told).toEqual([]);
    for (const deliver of deliveries) deliver();
    expect(told).toMatchObject([HI]);
  });

  test("is a promise to interceptors and to programs", async () => {
    const seen: unknown[] = [];
    const look: Interceptor = (next) => async (req) => {
      const response = await next(req);
      seen.push(response.message);
      return response;
    };
    await using backend = inMemory(
      { ...echoBackend(), impl: { echo: ({ payload }) => soon({ payload }) } },
      { interceptors: [look] },
    );
    const { payload } = await backend.client().echo({ payload: HI.payload });
    expect(Buffer.from(payload).toString()).toBe("hi");
    expect(seen).toMatchObject([HI]);
  });
});

describe("a Deferred", () => {
  test("is awaited like any promise, however often", async () => {
    const deferred = soon(7);
    expect(await deferred).toBe(7);
    expect(await Promise.all([deferred, deferred.then((n) => n + 1)])).toEqual([7, 8]);
    const run = vi.fn<() => void>();
    expect(await deferred.finally(run)).toBe(7);
    expect(run).toHaveBeenCalledOnce();
    const bad = new Deferred<number>();
    bad.reject(refused);
    expect(await bad.catch((error: unknown) => error)).toBe(refused);
    expect(bad[Symbol.toStringTag]).toBe("Deferred");
  });

  test("is settled once", async () => {
    const deferred = new Deferred<number>();
    deferred.resolve(1);
    deferred.resolve(2);
    deferred.reject(refused);
    expect(await deferred).toBe(1);
  });

  test("has one listener, and says so", () => {
    const deferred = new Deferred<number>();
    const listener = { done: () => {}, failed: () => {} };
    deferred.settle(listener);
    expect(() => deferred.settle(listener)).toThrow("one listener");
  });
});

function soon<T>(value: T): Deferred<T> {
  const deferred = new Deferred<T>();
  setImmediate(() => deferred.resolve(value));
  return deferred;
}

/** The time of a manual clock, and no order. */
function clockOf(clock: ManualClock): Pick<ManualClock, "now" | "after"> {
  return { now: () => clock.now(), after: (ms, run) => clock.after(ms, run) };
}
