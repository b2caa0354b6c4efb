import { create, toBinary } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import { defineBackend } from "@dropthrough/dispatch";
import { EchoService } from "@dropthrough/dispatch/testing";
import { byChance, type CaseMaker, type Sample } from "./case.ts";
import { invokable, loopGuest, type LoopOptions, renamed } from "./loop-guest.ts";

/** A peer, when it is to run. What it needs is loaded only then. */
type Peer = () => Promise<{ sample: Sample; close?(): Promise<void> }>;

/** Our whole stack, with a codec, grants, deadlines and limits; the peers carry raw bytes. */
function against(
  name: string,
  what: string,
  atMost: number,
  options: LoopOptions,
  peer: Peer,
): CaseMaker {
  return {
    name,
    async make() {
      const ours = await loopGuest(options);
      const theirs = await peer();
      return {
        what,
        atMost,
        subject: ours.sample,
        baseline: theirs.sample,
        async close() {
          await ours.host[Symbol.asyncDispose]();
          await theirs.close?.();
        },
      };
    },
  };
}

/** A handler that answers what it was sent. It keeps nothing, as its peers do not, so it may borrow. */
const echoes = (size: number): LoopOptions => ({
  method: "bench.v1.EchoService/Echo",
  request: echoRequest(size),
  backends: [
    defineBackend({
      name: "echo",
      service: renamed("bench.v1.EchoService"),
      borrows: true,
      impl: { echo: ({ payload }) => ({ payload }) },
    }),
  ],
});

/** A handler that returns a promise, which is resolved already. */
const promises = (size: number): LoopOptions => ({
  method: "bench.v1.AsyncService/Echo",
  request: echoRequest(size),
  waits: true,
  backends: [
    defineBackend({
      name: "async",
      service: renamed("bench.v1.AsyncService"),
      impl: { echo: async ({ payload }) => ({ payload }) },
    }),
  ],
});

function echoRequest(size: number): Uint8Array {
  const { input } = EchoService.method.echo;
  return toBinary(input, create(input, { payload: Buffer.alloc(size, 7) }));
}

const extism =
  (size: number, where: "main" | "worker"): Peer =>
  async () =>
    (await import("./peers/extism.ts")).extismEcho(size, where);
const wapc =
  (size: number): Peer =>
  async () => ({ sample: await (await import("./peers/wapc.ts")).wapcEcho(size) });
const jco =
  (size: number, how: "sync" | "jspi"): Peer =>
  async () => ({ sample: await (await import("./peers/jco.ts")).jcoEcho(size, how) });
const quickjs =
  (size: number): Peer =>
  async () => ({ sample: await (await import("./peers/quickjs.ts")).quickjsEcho(size) });

const EXTISM = "Extism 1.0.3, main thread";
const WAPC = "waPC 0.0.3";

/** Host → guest: a call through the transport, beside a call of a plugin. */
const invoke: CaseMaker = {
  name: "invoke.echo64.extism",
  async make() {
    const ours = await invokable();
    const theirs = await (await import("./peers/extism.ts")).extismInvoke(64);
    const client = createClient(ours.service, ours.host.transport);
    const payload = Buffer.alloc(64, 7);
    return {
      what: "plugin.call of Extism 1.0.3",
      atMost: 0.5,
      async subject(times) {
        const start = process.hrtime.bigint();
        for (let i = 0; i < times; i++) await client.echo({ payload });
        return Number(process.hrtime.bigint() - start);
      },
      baseline: theirs.sample,
      async close() {
        await ours.host[Symbol.asyncDispose]();
        await theirs.close();
      },
    };
  },
};

const cases: readonly CaseMaker[] = [
  byChance(against("call.echo64.extism", EXTISM, 0.05, echoes(64), extism(64, "main"))),
  against("call.echo1k.extism", EXTISM, 0.02, echoes(1024), extism(1024, "main")),
  against("call.echo64k.extism", EXTISM, 0.01, echoes(65536), extism(65536, "main")),
  byChance(against("call.echo64.wapc", WAPC, 0.1, echoes(64), wapc(64))),
  byChance(against("call.echo1k.wapc", WAPC, 0.1, echoes(1024), wapc(1024))),
  against("call.echo64k.wapc", WAPC, 0.33, echoes(65536), wapc(65536)),
  against("call.echo64.jco", "jco 1.35", 0.03, echoes(64), jco(64, "sync")),
  against("call.echo64.quickjs", "quickjs-emscripten 0.32", 0.04, echoes(64), quickjs(64)),
  against("async.echo64.jco", "jco 1.35, JSPI", 0.03, promises(64), jco(64, "jspi")),
  against("async.echo64.extism", "Extism 1.0.3, worker", 0.003, promises(64), extism(64, "worker")),
  invoke,
];

export default cases;
