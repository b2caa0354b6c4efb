import { Code, ConnectError } from "@connectrpc/connect";
import { isPending } from "@dropthrough/abi";
import { describe, expect, test } from "vitest";
import { createRegistry, defineBackend, type Interceptor, LocalCaller } from "../src/index.ts";
import { echo, EchoService } from "../src/testing.ts";
import { ECHO, failure, outcome, request as encoded, sessionOver, start } from "./session-over.ts";

/** What every interceptor of Connect may read. */
const reads =
  (seen: string[]): Interceptor =>
  (next) =>
  (request) => {
    const { method, service, url, header, contextValues, signal, stream } = request;
    seen.push([method.name, service.typeName, url, header.get("a"), signal.aborted, stream].join());
    expect(contextValues).toBeDefined();
    return next(request);
  };

const SEEN =
  "Echo,dropthrough.testing.v1.EchoService,dropthrough://echo/dropthrough.testing.v1.EchoService/Echo";

test("an interceptor may pass on a copy of the request, with a message or headers of its own", async () => {
  const seen: string[] = [];
  const copies: Interceptor = (next) => (request) =>
    next({
      ...request,
      header: new Headers({ a: "copied" }),
      message: { ...request.message, payload: Uint8Array.of(7) },
    } as typeof request);
  let handled: string | null = null;
  const registry = createRegistry({ interceptors: [copies, reads(seen)] });
  registry.use(
    defineBackend({
      name: "echo",
      service: EchoService,
      impl: {
        echo({ payload }, context) {
          handled = context.requestHeader.get("a");
          return { payload };
        },
      },
    }),
  );
  const { message } = await registry
    .connect(new LocalCaller("p"))
    .unary(EchoService.method.echo, {});
  expect(message.payload).toEqual(Uint8Array.of(7));
  expect(seen).toEqual([`${SEEN},copied,false,false`]);
  expect(handled).toBe("copied");
});

test.each([true, false])(
  "an interceptor may answer a copy of the response (at once: %s), which those around it read",
  async (atOnce) => {
    const seen: unknown[] = [];
    const outer: Interceptor = (next) => async (request) => {
      const response = await next(request);
      const { method, service, header, trailer, stream } = response;
      seen.push(method.name, service.typeName, header.get("b"), [...trailer], stream);
      return response;
    };
    const copies: Interceptor = (next) => (request) => {
      const answered = next(request);
      const copy = (response: Awaited<typeof answered>): typeof response =>
        ({ ...response, message: { ...response.message, payload: Uint8Array.of(9) } }) as never;
      return "then" in answered ? answered.then(copy) : copy(answered);
    };
    const registry = createRegistry({ interceptors: [outer, copies] });
    registry.use(
      defineBackend({
        name: "echo",
        service: EchoService,
        impl: {
          echo(_, context) {
            context.responseHeader.set("b", "kept");
            return atOnce ? {} : Promise.resolve({});
          },
        },
      }),
    );
    const { message, header } = await registry
      .connect(new LocalCaller("p"))
      .unary(EchoService.method.echo, {});
    expect(message.payload).toEqual(Uint8Array.of(9));
    expect(header.get("b")).toBe("kept");
    expect(seen).toEqual(["Echo", EchoService.typeName, "kept", [], false]);
  },
);

test("an interceptor that answers nothing is a bug of the host, which the incident names", async () => {
  const incidents: unknown[] = [];
  const registry = createRegistry({
    interceptors: [
      ((next) => (request) => {
        void next(request);
      }) as Interceptor,
    ],
    onIncident: ({ error }) => incidents.push(error),
  });
  registry.use(echo());
  const call = registry.connect(new LocalCaller("p")).unary(EchoService.method.echo, {});
  expect((await failure(call)).code).toBe(Code.Internal);
  expect(incidents).toMatchObject([{ message: "an interceptor answered undefined, no response" }]);
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
    expect(isPending(start(session.bind(ECHO), encoded))).toBe(false);
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
    expect(() => start(session.bind(ECHO), encoded)).toThrow("[permission_denied] not today");
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
    expect(() => start(session.bind(ECHO), encoded)).toThrow("not today");
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
    const late = outcome(start(session.bind(ECHO), encoded, 5));
    await expect(late).rejects.toMatchObject({ code: Code.DeadlineExceeded });
    const left = start(session.bind(ECHO), encoded);
    if (isPending(left)) left.cancel();
    await expect(outcome(left)).rejects.toMatchObject({ code: Code.Canceled });
    await expect.poll(() => heard).toEqual([Code.DeadlineExceeded, Code.Canceled]);
  });

  test("that let a call wait until it is given up reach no handler any more", async () => {
    let reached = 0;
    const { promise: later, resolve: release } = Promise.withResolvers<void>();
    const failed: unknown[] = [];
    const session = sessionOver(
      { echo: () => (reached++, {}) },
      {
        interceptors: [
          (next) => async (req) => {
            await later;
            try {
              return await next(req);
            } catch (error) {
              failed.push(ConnectError.from(error).code);
              throw error;
            }
          },
        ],
      },
    );
    const late = outcome(start(session.bind(ECHO), encoded, 5));
    const left = start(session.bind(ECHO), encoded);
    if (isPending(left)) left.cancel();
    await expect(late).rejects.toMatchObject({ code: Code.DeadlineExceeded });
    await expect(outcome(left)).rejects.toMatchObject({ code: Code.Canceled });
    release();
    await expect.poll(() => failed).toEqual([Code.DeadlineExceeded, Code.Canceled]);
    expect(reached).toBe(0);
  });
});
