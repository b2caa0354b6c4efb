import { create, toBinary } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { isPending } from "@dropthrough/abi";
import { describe, expect, test } from "vitest";
import {
  type CallRecord,
  createRegistry,
  defineBackend,
  Grants,
  type Incident,
  LocalCaller,
} from "../src/index.ts";
import { echo, EchoService, ManualClock } from "../src/testing.ts";
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
