import { create, toBinary } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { isPending } from "@dropthrough/abi";
import { describe, expect, test } from "vitest";
import {
  type CallRecord,
  callerOf,
  createRegistry,
  createTransport,
  defineBackend,
  Grants,
  type Incident,
  LocalCaller,
  perCaller,
} from "../src/index.ts";
import { echo, EchoService, inMemory, ManualClock } from "../src/testing.ts";
import { ECHO, failure, type Impl, outcome, request, sessionOver, start } from "./session-over.ts";

describe("a bound method", () => {
  test("of a synchronous handler answers at once, without a promise", () => {
    const response = start(sessionOver(echo().impl).bind(ECHO), request);
    expect(isPending(response)).toBe(false);
    expect(response).toMatchObject({ payload: Uint8Array.from(Buffer.from("hi")) });
  });

  test("writes its response into memory and nowhere else, or says that it does not fit", () => {
    const method = sessionOver(echo().impl).bind(ECHO);
    const response = start(method, request);
    const memory = new Uint8Array(16).fill(0xee);
    expect(method.write(response, memory, 4, 8)).toBe(4);
    expect([...memory]).toEqual([
      ...Array(4).fill(0xee),
      0x0a,
      2,
      0x68,
      0x69,
      ...Array(8).fill(0xee),
    ]);
    expect(method.write(response, memory, 4, 7)).toBe(-1);
    expect(memory.subarray(7)).toEqual(Uint8Array.from([0x69, ...Array(8).fill(0xee)]));
  });

  test("of a handler that answers a promise is pending, whether or not it was declared async", async () => {
    for (const handler of [async () => ({}), () => Promise.resolve({})]) {
      await expect(
        outcome(start(sessionOver({ echo: handler }).bind(ECHO), request)),
      ).resolves.toMatchObject({
        $typeName: "dropthrough.testing.v1.EchoResponse",
      });
    }
  });

  test("given bytes that are no protobuf fails with INVALID_ARGUMENT", () => {
    const method = sessionOver(echo().impl).bind(ECHO);
    expect(() => start(method, Uint8Array.of(0xff))).toThrow(
      "[invalid_argument] the request is no dropthrough.testing.v1.EchoRequest",
    );
  });

  test("that the backend leaves out answers UNIMPLEMENTED", () => {
    const method = sessionOver({}).bind(ECHO);
    expect(() => start(method, request)).toThrow(
      '[unimplemented] the backend "test" does not implement Echo',
    );
  });
});

describe("a handler that", () => {
  test("throws a ConnectError is answered with it", () => {
    const method = sessionOver(echo().impl).bind(ECHO);
    const failing = toBinary(
      EchoService.method.echo.input,
      create(EchoService.method.echo.input, { code: 5, message: "no" }),
    );
    expect(() => start(method, failing)).toThrow("[not_found] no");
  });

  test.each([
    [
      "throws",
      () => {
        throw new TypeError("secret");
      },
    ],
    ["rejects", () => Promise.reject(new TypeError("secret"))],
    ["answers nothing", () => undefined as never],
    ["answers a number", () => 7 as never],
    ["answers another message", () => ({ $typeName: "google.protobuf.Empty" }) as never],
    ["promises garbage", () => Promise.resolve("x") as never],
  ] satisfies [string, NonNullable<Impl["echo"]>][])(
    "%s is INTERNAL with an incident id, and the operator hears why",
    async (_, handler) => {
      const incidents: Incident[] = [];
      const session = sessionOver(
        { echo: handler },
        { onIncident: (incident) => incidents.push(incident) },
      );
      const error = await failure((async () => outcome(start(session.bind(ECHO), request)))());
      expect(error.code).toBe(Code.Internal);
      expect(incidents).toHaveLength(1);
      expect(error.rawMessage).toBe(
        `internal error in "test"; the operator's log has it as ${incidents[0]?.id}`,
      );
      expect(incidents[0]?.call?.name).toBe(ECHO);
    },
  );

  test("never settles ends at the default deadline, and its signal is aborted", async () => {
    const clock = new ManualClock();
    let signal: AbortSignal | undefined;
    const session = sessionOver(
      { echo: (_, context) => ((signal = context.signal), new Promise(() => {})) },
      { clock, limits: { defaultTimeoutMs: 500 } },
    );
    const pending = outcome(start(session.bind(ECHO), request));
    clock.advance(499);
    expect(signal?.aborted).toBe(false);
    clock.advance(1);
    expect((await failure(pending)).code).toBe(Code.DeadlineExceeded);
    expect(signal?.aborted).toBe(true);
    expect(clock.pending).toBe(0);
  });

  test("settles after its deadline has its answer dropped", async () => {
    const clock = new ManualClock();
    let settle!: (response: object) => void;
    const records: CallRecord[] = [];
    const registry = createRegistry({ clock });
    registry.use(
      defineBackend({
        name: "test",
        service: EchoService,
        impl: { echo: () => new Promise<object>((r) => (settle = r)) },
      }),
    );
    registry.observe({ ended: (call) => records.push(call) });
    const pending = outcome(start(registry.connect(new LocalCaller("g")).bind(ECHO), request, 10));
    clock.advance(10);
    settle({ payload: Buffer.from("late") });
    expect((await failure(pending)).code).toBe(Code.DeadlineExceeded);
    await Promise.resolve();
    expect(records.map((r) => r.code)).toEqual([Code.DeadlineExceeded]);
  });

  test("is given up ends with CANCELLED, once", async () => {
    let signal: AbortSignal | undefined;
    const session = sessionOver({
      echo: (_, context) => ((signal = context.signal), new Promise(() => {})),
    });
    const pending = start(session.bind(ECHO), request);
    if (!isPending(pending)) throw new Error("not pending");
    pending.cancel();
    pending.cancel();
    expect((await failure(outcome(pending))).code).toBe(Code.Canceled);
    expect(signal?.aborted).toBe(true);
  });
});

describe("bind", () => {
  const registry = createRegistry();
  registry.use(echo());

  test.each([
    ["nonsense", Code.InvalidArgument],
    ["a.B/", Code.InvalidArgument],
    ["a.B/C", Code.PermissionDenied],
    ["dropthrough.testing.v1.EchoService/Forward", Code.PermissionDenied],
    ["dropthrough.testing.v1.EchoService/Nope", Code.NotFound],
  ])("of %s answers code %i", (name, code) => {
    const session = registry.connect(
      new LocalCaller("g"),
      new Grants([ECHO, "dropthrough.testing.v1.EchoService/Nope"]),
    );
    expect(() => session.bind(name)).toThrow(expect.objectContaining({ code }));
  });

  test("tells observers what it refused, and what to do", () => {
    const refusals: string[] = [];
    using _ = registry.observe({
      refused: (caller, name, error) => refusals.push(`${caller.name} ${name} ${error.rawMessage}`),
    });
    expect(() => registry.connect(new LocalCaller("g"), new Grants([])).bind(ECHO)).toThrow(
      ConnectError,
    );
    expect(refusals).toEqual([`g ${ECHO} g was not granted ${ECHO}: add it to the grants of g`]);
  });

  test("with package.Service/* reaches all methods of that service and of no other", () => {
    const grants = new Grants(["a.B/*"]);
    expect(grants.allow("a.B/C")).toBe(true);
    expect(grants.allow("a.BB/C")).toBe(false);
    expect(grants.allow("a.B.D/C")).toBe(false);
    expect(() => new Grants(["*"])).toThrow('"*" is no grant');
    expect(() => new Grants(["a.B"])).toThrow("is no grant");
  });
});

describe("records", () => {
  test("have the start, end, code, bytes, caller and parent of every call", () => {
    const registry = createRegistry();
    registry.use(echo());
    const log: string[] = [];
    using _ = registry.observe({
      started: (call) => log.push(`==> ${call.caller.name} ${call.name} ${call.requestBytes}`),
      ended: (call) => log.push(`<== ${call.code} ${call.responseBytes} ${call.depth}`),
    });
    const session = registry.connect(new LocalCaller("g"));
    const method = session.bind(ECHO);
    start(method, request);
    expect(() => start(method, Uint8Array.of(0xff))).toThrow(ConnectError);
    expect(log).toEqual([`==> g ${ECHO} 4`, "<== 0 4 0", `==> g ${ECHO} 1`, "<== 3 undefined 0"]);
  });

  test("an observer that throws changes nothing for the call, and is an incident each time", async () => {
    const incidents: unknown[] = [];
    const bug = new Error("a bug of the observer");
    const broken = (): never => {
      throw bug;
    };
    const registry = createRegistry({ onIncident: ({ error }) => incidents.push(error) });
    let later = false;
    registry.use(
      defineBackend({
        name: "test",
        service: EchoService,
        impl: {
          echo: ({ payload }) => (later ? Promise.resolve({ payload }) : { payload }),
        },
      }),
    );
    const heard: number[] = [];
    using _ = registry.observe({ started: broken, ended: broken, refused: broken });
    registry.observe({ ended: ({ code }) => heard.push(code) });
    const session = registry.connect(new LocalCaller("g"));
    const method = session.bind(ECHO);
    const hi = { payload: new Uint8Array([104, 105]) };
    expect(start(method, request)).toMatchObject(hi);
    later = true;
    expect(await outcome(start(method, request))).toMatchObject(hi);
    expect(() => start(method, Uint8Array.of(0xff))).toThrow("the request is no");
    expect(() => session.bind("a.B/C")).toThrow("nobody serves a.B/C");
    expect(heard).toEqual([0, 0, Code.InvalidArgument]);
    expect(incidents).toEqual(Array.from({ length: 7 }, () => bug));
  });
});

test("an observer that is asynchronous and fails is an incident, and ends nothing", async () => {
  const incidents: unknown[] = [];
  // Its type says that it answers nothing, which an asynchronous function does as well.
  const fail = (text: string): (() => void) => {
    const run: () => unknown = async () => Promise.reject(new Error(text));
    return run;
  };
  const registry = createRegistry({
    onIncident: ({ error, call }) => incidents.push(`${(error as Error).message} ${call?.name}`),
  });
  registry.use(echo());
  using _ = registry.observe({ started: fail("s"), ended: fail("e"), refused: fail("r") });
  const session = registry.connect(new LocalCaller("g"));
  expect(isPending(start(session.bind(ECHO), request))).toBe(false);
  expect(() => session.bind("a.B/C")).toThrow("nobody serves");
  await expect.poll(() => incidents).toEqual([`s ${ECHO}`, `e ${ECHO}`, "r undefined"]);
});

describe("interceptors", () => {
  test("wrap every call, the first outermost, and may stay synchronous", () => {
    const log: string[] = [];
    const session = sessionOver(echo().impl, {
      interceptors: ["a", "b"].map((name) => (next) => (req) => {
        log.push(`${name} ${req.method.name}`);
        const response = next(req);
        log.push(name);
        return response;
      }),
    });
    expect(isPending(start(session.bind(ECHO), request))).toBe(false);
    expect(log).toEqual(["a Echo", "b Echo", "b", "a"]);
  });

  test("may refuse a call before its handler is reached", () => {
    let reached = false;
    const session = sessionOver(
      { echo: () => ((reached = true), {}) },
      {
        interceptors: [
          () => () => {
            throw new ConnectError("not today", Code.PermissionDenied);
          },
        ],
      },
    );
    expect(() => start(session.bind(ECHO), request)).toThrow("[permission_denied] not today");
    expect(reached).toBe(false);
  });

  test("may leave the rest of a call alone, which then fails without ending the process", async () => {
    let failing = (): void => {};
    const failed = new Promise<void>((resolve) => (failing = resolve));
    const rejections: unknown[] = [];
    const unhandled = (reason: unknown): void => void rejections.push(reason);
    process.on("unhandledRejection", unhandled);
    const session = sessionOver(
      {
        echo: async () => {
          failing();
          throw new ConnectError("no", Code.NotFound);
        },
      },
      {
        interceptors: [
          (next) => (req) => {
            void next(req);
            throw new ConnectError("not today", Code.PermissionDenied);
          },
        ],
      },
    );
    expect(() => start(session.bind(ECHO), request)).toThrow("not today");
    await failed;
    await new Promise((resolve) => void setImmediate(resolve));
    process.off("unhandledRejection", unhandled);
    expect(rejections).toEqual([]);
  });

  test("are told when a call is given up that nobody answers", async () => {
    const heard: unknown[] = [];
    const session = sessionOver(
      { echo: async () => new Promise(() => {}) },
      {
        interceptors: [
          (next) => async (req) => {
            try {
              return await next(req);
            } catch (error) {
              heard.push(ConnectError.from(error).code);
              throw error;
            }
          },
        ],
      },
    );
    const late = outcome(start(session.bind(ECHO), request, 5));
    await expect(late).rejects.toMatchObject({ code: Code.DeadlineExceeded });
    const left = start(session.bind(ECHO), request);
    if (isPending(left)) left.cancel();
    await expect(outcome(left)).rejects.toMatchObject({ code: Code.Canceled });
    await expect.poll(() => heard).toEqual([Code.DeadlineExceeded, Code.Canceled]);
  });
});

describe("a program", () => {
  test("calls a backend with Connect's own client", async () => {
    await using backend = inMemory(echo());
    const { payload } = await backend.client().echo({ payload: Buffer.from("hi") });
    expect(Buffer.from(payload).toString()).toBe("hi");
    expect((await failure(backend.client().echo({ code: 8, message: "full" }))).code).toBe(
      Code.ResourceExhausted,
    );
  });

  test("is told UNIMPLEMENTED where nobody serves, and can give up", async () => {
    const registry = createRegistry();
    const client = createClient(
      EchoService,
      createTransport(registry.connect(new LocalCaller("p"))),
    );
    expect((await failure(client.echo({}))).code).toBe(Code.Unimplemented);
    registry.use(echo());
    const controller = new AbortController();
    const call = client.echo({ delayMs: 60_000 }, { signal: controller.signal });
    controller.abort();
    expect((await failure(call)).code).toBe(Code.Canceled);
    expect((await failure(client.echo({ delayMs: 60_000 }, { timeoutMs: 5 }))).code).toBe(
      Code.DeadlineExceeded,
    );
  });
});

test("what a caller opened is its own, and dies with it", async () => {
  const closed: string[] = [];
  const open = perCaller((caller) => ({
    handles: 0,
    [Symbol.dispose]: () => void closed.push(caller.name),
  }));
  const backend = defineBackend({
    name: "test",
    service: EchoService,
    impl: {
      echo: (_, context) => ({
        payload: Buffer.from(`${callerOf(context).name}${++open.of(context).handles}`),
      }),
    },
  });
  await using memory = inMemory(backend);
  const ask = async (name: string): Promise<string> =>
    Buffer.from((await memory.client(name).echo({})).payload).toString();
  expect([await ask("a"), await ask("a"), await ask("b")]).toEqual(["a1", "a2", "b1"]);
  await memory.end("a");
  expect(closed).toEqual(["a"]);
  expect(await ask("a")).toBe("a1");
});

test("what a program opened is closed though some of it fails to, and the failures are told", async () => {
  const closed: number[] = [];
  const caller = new LocalCaller("p");
  const [first, second] = [new Error("first"), new Error("second")];
  caller.defer(() => void closed.push(1));
  caller.defer(async () => Promise.reject(second));
  caller.defer(() => void closed.push(2));
  caller.defer(() => {
    throw first;
  });
  await expect(caller[Symbol.asyncDispose]()).rejects.toMatchObject({ errors: [first, second] });
  expect(closed).toEqual([2, 1]);
});
