import {
  Code,
  ConnectError,
  type ConnectRouter,
  createClient,
  createRouterTransport,
  type HandlerContext,
  type ServiceImpl,
} from "@connectrpc/connect";
import { expect, test } from "vitest";
import {
  bytesInto,
  callerKey,
  callerOf,
  createRegistry,
  createTransport,
  defineBackend,
  Deferred,
  Grants,
  LocalCaller,
} from "../src/index.ts";
import type {
  EchoRequest,
  ForwardRequest,
  ForwardResponse,
} from "../src/gen/dropthrough/testing/v1/echo_pb.ts";
import { EchoService, inMemory } from "../src/testing.ts";
import { failure } from "./session-over.ts";

/** As somebody wrote it who has never heard of us. */
class Existing implements ServiceImpl<typeof EchoService> {
  readonly #greeting = "hello ";

  async echo(
    { message }: EchoRequest,
    context: HandlerContext,
  ): Promise<{ payload: Uint8Array<ArrayBuffer> }> {
    const { service, method, protocolName, requestMethod } = context;
    context.responseHeader.set("told", [service.typeName, method.name, requestMethod].join());
    context.responseTrailer.set("by", protocolName);
    if (message === "") throw new ConnectError("no name", Code.InvalidArgument, { why: "empty" });
    await new Promise((resolve) => void setTimeout(resolve, 1));
    context.signal.throwIfAborted();
    const name = context.requestHeader.get("name") ?? message;
    return { payload: new TextEncoder().encode(this.#greeting + name) };
  }

  forward({ payload }: ForwardRequest): { payload: Uint8Array } {
    return { payload };
  }
}

test("an existing Connect service is a backend as it stands, and the same one over HTTP", async () => {
  const impl = new Existing();
  await using backend = inMemory(defineBackend({ name: "existing", service: EchoService, impl }));
  const http = createRouterTransport((router) => void router.service(EchoService, impl));
  for (const client of [backend.client(), createClient(EchoService, http)]) {
    let told: string | null = null;
    const { payload } = await client.echo(
      { message: "a" },
      { headers: { name: "b" }, onHeader: (header) => (told = header.get("told")) },
    );
    expect(Buffer.from(payload).toString()).toBe("hello b");
    expect(told).toBe("dropthrough.testing.v1.EchoService,Echo,POST");
    const refused = await failure(client.echo({}));
    expect(refused.code).toBe(Code.InvalidArgument);
    expect(refused.metadata.get("why")).toBe("empty");
  }
});

/** A backend that needs what only a registry has. */
const ours = defineBackend({
  name: "ours",
  service: EchoService,
  impl: {
    echo: (_, context) => ({ payload: new TextEncoder().encode(callerOf(context).name) }),
    forward() {
      const answer = new Deferred<ForwardResponse>();
      const payload = bytesInto(2, (target) => (target.fill(7), 2));
      setTimeout(
        () => answer.resolve({ $typeName: "dropthrough.testing.v1.ForwardResponse", payload }),
        1,
      );
      return answer;
    },
  },
});

const json = { transport: { useBinaryFormat: false } };

test("a backend is served over HTTP as it stands, with a caller if the server says who that is", async () => {
  const routes = (router: ConnectRouter): void => void router.service(ours.service, ours.impl);
  const nobody = createClient(EchoService, createRouterTransport(routes));
  expect((await nobody.forward({})).payload).toEqual(Uint8Array.of(7, 7));
  expect((await failure(nobody.echo({}))).code).toBe(Code.FailedPrecondition);
  const caller = new LocalCaller("web");
  const known = createRouterTransport(routes, {
    router: {
      interceptors: [
        (next) => async (request) => (request.contextValues.set(callerKey, caller), next(request)),
      ],
    },
  });
  const { payload } = await createClient(EchoService, known).echo({});
  expect(Buffer.from(payload).toString()).toBe("web");
});

test("through a session it is served with all that a registry does, as JSON too", async () => {
  const registry = createRegistry();
  registry.use(ours);
  const web = registry.connect(
    new LocalCaller("web"),
    new Grants([`${EchoService.typeName}/Forward`]),
  );
  const inside = createClient(EchoService, createTransport(web));
  const routes = (router: ConnectRouter): void =>
    void router.service(EchoService, {
      echo: async (request, { signal }) => inside.echo(request, { signal }),
      forward: async (request, { signal }) => inside.forward(request, { signal }),
    });
  const client = createClient(EchoService, createRouterTransport(routes, json));
  expect((await client.forward({})).payload).toEqual(Uint8Array.of(7, 7));
  expect((await failure(client.echo({}))).code).toBe(Code.PermissionDenied);
});
