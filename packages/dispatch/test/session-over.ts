import { create, toBinary } from "@bufbuild/protobuf";
import { ConnectError, type ServiceImpl } from "@connectrpc/connect";
import { type BoundMethod, isPending } from "@dropthrough/abi";
import { expect } from "vitest";
import {
  createRegistry,
  defineBackend,
  LocalCaller,
  type RegistryOptions,
  type Session,
} from "../src/index.ts";
import { EchoService } from "../src/testing.ts";

/** What the backend of a test answers. */
export type Impl = Partial<ServiceImpl<typeof EchoService>>;
export const ECHO = "dropthrough.testing.v1.EchoService/Echo";

/** A session of a guest over a backend of the echo service. */
export function sessionOver(impl: Impl, options: RegistryOptions = {}): Session {
  const registry = createRegistry({ onIncident: () => {}, ...options });
  registry.use(defineBackend({ name: "test", service: EchoService, impl }));
  return registry.connect(new LocalCaller("guest"));
}

/** Calls a bound method as the boundary does: a request at 8 in memory of 64 bytes, a response to 32. */
export function start(method: BoundMethod, request: Uint8Array, timeoutMs = 0): unknown {
  const memory = new Uint8Array(64);
  memory.set(request, 8);
  return method.start(memory, 8, 8 + request.length, timeoutMs);
}

/** An encoded request. */
export const request: Uint8Array = toBinary(
  EchoService.method.echo.input,
  create(EchoService.method.echo.input, { payload: Buffer.from("hi") }),
);

/** What a pending call comes to. */
export async function outcome(pending: unknown): Promise<unknown> {
  if (!isPending(pending)) throw new Error("not pending");
  return new Promise((resolve, reject) => pending.settle({ done: resolve, failed: reject }));
}

/** What a call that has to fail failed with. */
export async function failure(promise: Promise<unknown>): Promise<ConnectError> {
  return promise.then(
    () => expect.fail("it succeeded"),
    (error: unknown) => ConnectError.from(error),
  );
}
