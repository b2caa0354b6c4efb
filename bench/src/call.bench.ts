import { create, toBinary } from "@bufbuild/protobuf";
import { echo, EchoService } from "@dropthrough/dispatch/testing";
import { defineBackend } from "@dropthrough/dispatch";
import { log, LogService, Level } from "@dropthrough/log";
import { Writable } from "node:stream";
import { bareHost } from "./bare-host.ts";
import { byChance, type Case, type CaseMaker, type Sample } from "./case.ts";
import { loopGuest, loopModule, type LoopOptions, renamed, serving, wat } from "./loop-guest.ts";

const ECHO = "dropthrough.testing.v1.EchoService/Echo";
const echoRequest = (size: number): Uint8Array =>
  toBinary(
    EchoService.method.echo.input,
    create(EchoService.method.echo.input, { payload: Buffer.alloc(size, 7) }),
  );

const echo64 = (): LoopOptions => ({
  method: ECHO,
  request: echoRequest(64),
  backends: [echo()],
});

/** A handler that answers a promise, which is resolved. */
const answers = async ({
  payload,
}: {
  readonly payload: Uint8Array;
}): Promise<{ payload: Uint8Array }> => ({ payload });

/** The same calls in two hosts: as they are, and with something changed. */
function paired(
  name: string,
  what: string,
  bound: Pick<Case, "atMost" | "atMostMore">,
  subject: LoopOptions,
  baseline: LoopOptions,
): CaseMaker {
  return {
    name,
    async make() {
      const [a, b] = [await loopGuest(subject), await loopGuest(baseline)];
      const close = async (): Promise<void> => {
        await a.host[Symbol.asyncDispose]();
        await b.host[Symbol.asyncDispose]();
      };
      return { what, subject: a.sample, baseline: b.sample, ...bound, close };
    },
  };
}

/** A case against the same with protobuf-es in place of the codec. */
function codec(name: string, atMost: number, options: () => LoopOptions): CaseMaker {
  return {
    name,
    async make() {
      return paired(name, "protobuf-es in place of the codec", { atMost }, options(), {
        ...options(),
        codec: { compile: false },
      }).make();
    },
  };
}

/** An import with six i32 that does nothing. */
export function floor(): Sample {
  const module =
    wat(`(module (import "h" "f" (func $f (param i32 i32 i32 i32 i32 i32) (result i32)))
    (func (export "run") (param $n i32)
      (loop $again
        (drop (call $f (i32.const 0) (i32.const 1) (i32.const 2) (i32.const 3) (i32.const 4) (i32.const 5)))
        (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))))`);
  const f = (a: number, b: number, c: number, d: number, e: number, g: number): number =>
    a + b + c + d + e + g;
  const run = new WebAssembly.Instance(new WebAssembly.Module(module), { h: { f } }).exports[
    "run"
  ] as (n: number) => void;
  return (count) => {
    const start = process.hrtime.bigint();
    run(count);
    return Number(process.hrtime.bigint() - start);
  };
}

const sink = new Writable({ write: (_chunk, _encoding, done) => done() });
const logRecord = toBinary(
  LogService.method.write.input,
  create(LogService.method.write.input, {
    record: {
      level: Level.TRACE,
      message: "the session of this user has been renewed for another quarter of an hour",
      time: { seconds: 1_700_000_000n, nanos: 5 },
      attributes: [
        { key: "user", value: { kind: { case: "string", value: "u-1234567890" } } },
        { key: "attempt", value: { kind: { case: "int", value: 3n } } },
      ],
    },
  }),
);

const value = new Uint8Array(100).fill(7);
const store = new Map([["key-12345678", { payload: value }]]);
const get = defineBackend({
  name: "get",
  service: renamed("bench.v1.GetService"),
  // `message` is the key.
  impl: { echo: ({ message }) => store.get(message) ?? {} },
});

const passThrough = serving(
  "bench.v1.EchoFacade",
  `(drop (call $read (local.get $c) (i32.const 0) (i32.const 4096) (local.get $len)))
   (drop (call $reply (local.get $c) (i32.const 0) (i32.const 4096) (local.get $len)))`,
);

const cases: readonly CaseMaker[] = [
  {
    name: "call.floor",
    make: async () => ({ what: "an import with six i32 that does nothing", subject: floor() }),
  },
  byChance(codec("call.echo64", 0.12, echo64)),
  byChance(
    codec("call.echo1k", 0.12, () => ({
      method: ECHO,
      request: echoRequest(1024),
      backends: [echo()],
    })),
  ),
  codec("call.echo64k", 0.5, () => ({
    method: ECHO,
    request: echoRequest(65536),
    backends: [echo()],
  })),
  codec("call.log145", 0.4, () => ({
    method: "dropthrough.log.v1.LogService/Write",
    request: logRecord,
    backends: [log({ stream: sink, pretty: false, level: "fatal" })],
  })),
  byChance(
    codec("call.get", 0.12, () => ({
      method: "bench.v1.GetService/Echo",
      request: Buffer.from("\x22\x0ckey-12345678"),
      backends: [get],
    })),
  ),
  paired(
    "async.resolved",
    "call.echo64",
    { atMostMore: 200 },
    {
      method: "bench.v1.AsyncService/Echo",
      request: echoRequest(64),
      waits: true,
      backends: [
        defineBackend({
          name: "async",
          service: renamed("bench.v1.AsyncService"),
          impl: { echo: answers },
        }),
      ],
    },
    echo64(),
  ),
  {
    name: "async.resolved.bare",
    async make() {
      const { sample, host } = await loopGuest(echo64());
      const module = loopModule("bench.v1.BareService", { ...echo64(), waits: true });
      return {
        what: "call.echo64; beside it the same as async.resolved without codec and dispatch",
        subject: bareHost(module, answers),
        baseline: sample,
        close: async () => host[Symbol.asyncDispose](),
      };
    },
  },
  byChance(
    paired(
      "guest.echo64",
      "call.echo64",
      { atMost: 1.2 },
      {
        method: "bench.v1.EchoFacade/Echo",
        request: echoRequest(64),
        backends: [],
        guests: [
          {
            name: "facade",
            module: wat(passThrough),
            exports: ["bench.v1.EchoFacade"],
            grants: ["bench.v1.StarterService/*"],
          },
        ],
      },
      echo64(),
    ),
  ),
];

export default cases;
