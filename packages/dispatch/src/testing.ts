/**
 * For tests of backends: a backend called in memory, in three lines.
 *
 * ```ts
 * await using backend = inMemory(file({ mounts: { "/tmp": { memory: true } } }));
 * const { info } = await backend.client().stat({ path: "/tmp" });
 * ```
 *
 * @packageDocumentation
 */
import type { DescService } from "@bufbuild/protobuf";
import { type Client, createClient } from "@connectrpc/connect";
import type { Backend } from "./backend.ts";
import { LocalCaller } from "./caller.ts";
import { createRegistry, type Registry, type RegistryOptions } from "./registry.ts";
import { createTransport } from "./transport.ts";

/** A backend in a registry of its own. */
export interface InMemory<S extends DescService> extends AsyncDisposable {
  readonly registry: Registry;
  /** A client that calls as `name`; what it opened dies with `end(name)`. Default "test". */
  client(name?: string): Client<S>;
  /** Ends a caller, as when its guest exits. */
  end(name?: string): Promise<void>;
}

/** Puts a backend into a registry of its own; disposing it disposes the backend. */
export function inMemory<S extends DescService>(
  backend: Backend<S>,
  options: RegistryOptions = {},
): InMemory<S> {
  const registry = createRegistry(options);
  registry.use(backend);
  const callers = new Map<string, LocalCaller>();
  return {
    registry,
    client(name = "test") {
      let caller = callers.get(name);
      if (caller === undefined) callers.set(name, (caller = new LocalCaller(name)));
      return createClient(backend.service, createTransport(registry.connect(caller)));
    },
    async end(name = "test") {
      await callers.get(name)?.[Symbol.asyncDispose]();
      callers.delete(name);
    },
    async [Symbol.asyncDispose]() {
      for (const caller of callers.values()) await caller[Symbol.asyncDispose]();
      await registry[Symbol.asyncDispose]();
    },
  };
}
export {
  type CodeRow,
  codesWithoutRow,
  type DocumentedCode,
  documentedCodes,
  paragraphs,
} from "./documented-codes.ts";
export { echo } from "./echo.ts";
export { EchoService } from "./gen/dropthrough/testing/v1/echo_pb.ts";
export { type Flood, floods } from "./floods.ts";
export { ManualClock } from "./manual-clock.ts";
