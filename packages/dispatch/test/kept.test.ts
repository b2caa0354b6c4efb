import { setImmediate as turn } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Code, ConnectError } from "@connectrpc/connect";
import { isPending, type Pending } from "@dropthrough/abi";
import { expect, test } from "vitest";
import {
  type CallObserver,
  createRegistry,
  Deferred,
  defineBackend,
  type Interceptor,
  LocalCaller,
} from "../src/index.ts";
import { EchoService } from "../src/testing.ts";
import { ECHO, type Impl, request, start } from "./session-over.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

type Answer = { readonly payload: Uint8Array };

/** A handler that answers with what it takes. */
type Handler = (take: () => Answer) => NonNullable<Impl["echo"]>;
const later: Handler = (take) => async () => turn(take());
const observer: CallObserver = { ended: () => {} };
const interceptor: Interceptor = (next) => async (one) => next(one);

interface Case {
  readonly observer?: CallObserver;
  readonly interceptors?: Interceptor[];
  readonly echo: Handler;
}

/** A call whose listener was told; and what it was answered with. */
async function done({ observer: observes, interceptors = [], echo }: Case): Promise<{
  pending: Pending<unknown>;
  payload: WeakRef<Uint8Array>;
}> {
  const answers = [{ payload: new Uint8Array(5000) }];
  const payload = new WeakRef((answers[0] as Answer).payload);
  const registry = createRegistry({ interceptors });
  registry.use(
    defineBackend({
      name: "test",
      service: EchoService,
      impl: { echo: echo(() => answers.pop() as Answer) },
    }),
  );
  if (observes) registry.observe(observes);
  const pending = start(registry.connect(new LocalCaller("guest")).bind(ECHO), request);
  if (!isPending(pending)) throw new Error("not pending");
  await new Promise<void>((resolve) => {
    pending.settle({ done: () => resolve(), failed: () => resolve() });
  });
  return { pending, payload };
}

test.each<[string, Case]>([
  ["nobody sees", { echo: later }],
  ["is observed", { observer, echo: later }],
  [
    "fails, and is observed",
    {
      observer,
      echo: (take) => async () => {
        await turn();
        const details = [{ desc: EchoService.method.echo.output, value: take() }];
        throw new ConnectError("no", Code.NotFound, undefined, details);
      },
    },
  ],
  ["has an interceptor", { interceptors: [interceptor], echo: later }],
  [
    "has a handler that listens whether it is given up",
    {
      echo: (take) => async (_, context) => {
        const answer = take();
        context.signal.addEventListener("abort", () => Object.keys(answer));
        return turn(answer);
      },
    },
  ],
  [
    "was done before anybody listened",
    {
      echo: (take) => () => {
        const deferred = new Deferred<Answer>();
        deferred.resolve(take());
        return deferred;
      },
    },
  ],
])("what a call came to that %s is not kept with it", async (_, given) => {
  const { pending, payload } = await done(given);
  await turn();
  collect();
  expect(payload.deref()).toBeUndefined();
  expect(isPending(pending)).toBe(true);
});
