import { Code, ConnectError } from "@connectrpc/connect";
import { isPending } from "@dropthrough/abi";
import { describe, expect, test } from "vitest";
import { createRegistry, defineBackend, LocalCaller } from "../src/index.ts";
import { echo, EchoService } from "../src/testing.ts";
import { ECHO, outcome, request, start } from "./session-over.ts";

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
