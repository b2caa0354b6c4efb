import { createClient } from "@connectrpc/connect";
import { type Backend, callerOf, defineBackend } from "@dropthrough/dispatch";
import { EchoService } from "@dropthrough/dispatch/testing";
import { createHost, type GuestConfig, type Host, type HostOptions } from "@dropthrough/host";
import loadWabt from "wabt";
import type { Sample } from "./case.ts";

const wabt = await loadWabt();

/** Assembles WebAssembly text. */
export function wat(source: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(wabt.parseWat("bench.wat", source).toBinary({}).buffer);
}

/** The contract of the echo service under another name. */
export function renamed(typeName: string): typeof EchoService {
  const service = { ...EchoService, typeName };
  service.methods = EchoService.methods.map((method) => ({ ...method, parent: service }));
  return Object.assign(service, {
    method: Object.fromEntries(service.methods.map((m) => [m.localName, m])),
  });
}

const LOOP = "bench.v1.LoopService";
const loopService = renamed(LOOP);

/** Lets the guests of benchmarks export what they serve. */
export const starter: Backend = defineBackend({
  name: "starter",
  service: renamed("bench.v1.StarterService"),
  impl: {
    echo({ payload }, context) {
      const { guest } = callerOf(context);
      const [verb, service = ""] = Buffer.from(payload).toString().split(" ");
      if (verb === "export") guest?.export(service);
      else guest?.require(service);
      return {};
    },
  },
});

/** Escapes bytes for a data segment. */
export function data(bytes: Uint8Array): string {
  return [...bytes].map((b) => `\\${b.toString(16).padStart(2, "0")}`).join("");
}

/** An EchoRequest whose payload is below 128 bytes, or empty. */
function request(payload: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.of(0x0a, payload.length), payload]);
}

const IMPORTS = `
  (import "dropthrough_v1" "bind" (func $bind (param i32 i32) (result i32)))
  (import "dropthrough_v1" "call" (func $call (param i32 i32 i32 i32 i32 i32) (result i32)))
  (import "dropthrough_v1" "read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "dropthrough_v1" "reply" (func $reply (param i32 i32 i32 i32) (result i32)))`;
const WAIT = `(import "dropthrough_v1" "wait" (func $wait (param i32 i32 i32) (result i32)))`;

/** Text of a guest that exports `service`; `serve` answers a call, `globals` are its own. */
export function serving(
  service: string,
  serve: string,
  more: { waits?: boolean; requires?: string; head?: string } = {},
): string {
  const starterName = "bench.v1.StarterService/Echo";
  const calls = [
    `export ${service}`,
    ...(more.requires === undefined ? [] : [`require ${more.requires}`]),
  ].map((text) => request(Buffer.from(text)));
  return `(module ${IMPORTS} ${more.waits === true ? WAIT : ""}
    (memory (export "memory") 32)
    (data (i32.const 16) "${starterName}")
    (data (i32.const 64) "${service}/Echo")
    ${calls.map((bytes, i) => `(data (i32.const ${256 + i * 128}) "${data(bytes)}")`).join("")}
    ${more.head ?? ""}
    (func (export "_initialize")
      ${calls
        .map(
          (bytes, i) =>
            `(if (call $call (call $bind (i32.const 16) (i32.const ${starterName.length})) (i32.const ${256 + i * 128}) (i32.const ${bytes.length}) (i32.const 0) (i32.const 0) (i32.const 0)) (then unreachable))`,
        )
        .join("")}
      (drop (call $bind (i32.const 64) (i32.const ${service.length + 5}))))
    (func (export "dropthrough_v1_serve") (param $c i32) (param $m i32) (param $len i32) (local $n i32) (local $w i32) (local $method i32)
      ${serve}))`;
}

/** What a guest of a benchmark calls, over and over. */
export interface LoopOptions extends Pick<HostOptions, "codec" | "interceptors"> {
  /** `package.Service/Method`. */
  readonly method: string;
  readonly request: Uint8Array;
  readonly backends: readonly Backend[];
  /** The call is pending: the guest waits for it. */
  readonly waits?: boolean;
  readonly guests?: readonly GuestConfig[];
  /** A call that is made once, before the first of the others. */
  readonly setup?: { readonly method: string; readonly request: Uint8Array };
  /** A call that is made after each so many of the others. */
  readonly after?: {
    readonly every: number;
    readonly method: string;
    readonly request: Uint8Array;
  };
}

/** What the module of a looping guest depends on. */
export type LoopModule = Pick<
  LoopOptions,
  "method" | "request" | "waits" | "setup" | "after" | "guests"
>;

/** Assembles a guest that exports `exported` and makes one call as often as it is told. */
export function loopModule(exported: string, options: LoopModule): Uint8Array<ArrayBuffer> {
  const { method, request: bytes, waits = false, guests = [], setup, after } = options;
  const done = waits
    ? `(local.set $w (call $wait (i32.and (i32.xor (local.get $w) (i32.const -1)) (i32.const 0xffffff)) (i32.const 1049600) (i32.const 524288)))`
    : "";
  const first =
    setup === undefined
      ? ""
      : `(if (i32.eqz (i32.load (i32.const 2040))) (then
          (i32.store (i32.const 2040) (i32.const 1))
          (if (i32.lt_s (call $call (call $bind (i32.const 1024) (i32.const ${setup.method.length})) (i32.const 1536) (i32.const ${setup.request.length}) (i32.const 1049600) (i32.const 65536) (i32.const 0)) (i32.const 0)) (then unreachable))))`;
  const more =
    after === undefined
      ? ""
      : `(i32.store (i32.const 2044) (i32.add (i32.load (i32.const 2044)) (i32.const 1)))
        (if (i32.eq (i32.load (i32.const 2044)) (i32.const ${after.every})) (then
          (i32.store (i32.const 2044) (i32.const 0))
          (if (i32.lt_s (call $call (call $bind (i32.const 2048) (i32.const ${after.method.length})) (i32.const 2560) (i32.const ${after.request.length}) (i32.const 1049600) (i32.const 65536) (i32.const 0)) (i32.const 0)) (then unreachable))))`;
  // Long bytes, which stand at the end of a request, are aligned as those of the baseline are.
  const at = 4096 + ((64 - (bytes.length % 64)) % 64);
  const serve = `
    (drop (call $read (local.get $c) (i32.const 0) (i32.const 512) (i32.const 64)))
    (local.set $n (i32.load (i32.const 514)))
    (local.set $method (call $bind (i32.const 640) (i32.const ${method.length})))
    (if (i32.lt_s (local.get $method) (i32.const 0)) (then unreachable))
    ${first}
    (loop $again
      (local.set $w (call $call (local.get $method) (i32.const ${at}) (i32.const ${bytes.length}) (i32.const 1049600) (i32.const 524288) (i32.const 0)))
      ${done}
      (if (i32.lt_s (local.get $w) (i32.const 0)) (then unreachable))
      ${more}
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (drop (call $reply (local.get $c) (i32.const 0) (i32.const 0) (i32.const 0)))`;
  const once = (place: number, call: LoopOptions["setup"]): string =>
    call === undefined
      ? ""
      : `(data (i32.const ${place}) "${call.method}") (data (i32.const ${place + 512}) "${data(call.request)}")`;
  const setupData = `${once(1024, setup)} ${once(2048, after)}`;
  const head = `${setupData} (data (i32.const 640) "${method}") (data (i32.const ${at}) "${data(bytes)}")`;
  const requires = guests.length > 0 ? serviceOf(method) : undefined;
  return wat(
    serving(exported, serve, { waits, head, ...(requires !== undefined && { requires }) }),
  );
}

function serviceOf(method: string): string {
  return method.slice(0, method.indexOf("/"));
}

/** Calls that a looping guest makes, as often as it is told. */
export function loopRequest(times: number): Buffer {
  const payload = Buffer.alloc(4);
  payload.writeUInt32LE(times);
  return payload;
}

/** Starts a host with a guest that makes one call as often as it is told, through the whole stack. */
export async function loopGuest(options: LoopOptions): Promise<{ sample: Sample; host: Host }> {
  const { method, backends, guests = [], codec, interceptors } = options;
  const host = createHost({
    backends: [starter, ...backends],
    guests: [
      ...guests,
      {
        name: "loop",
        module: loopModule(LOOP, options),
        exports: [LOOP],
        grants: ["bench.v1.StarterService/*", `${serviceOf(method)}/*`],
      },
    ],
    limits: { defaultTimeoutMs: 0 },
    ...(codec && { codec }),
    ...(interceptors && { interceptors }),
  });
  await host.start();
  const client = createClient(loopService, host.transport);
  return {
    host,
    async sample(count) {
      const payload = loopRequest(count);
      const start = process.hrtime.bigint();
      await client.echo({ payload });
      return Number(process.hrtime.bigint() - start);
    },
  };
}

/** Starts a host with a guest that answers what it is asked, for calls of the program itself. */
export async function invokable(): Promise<{ host: Host; service: typeof EchoService }> {
  const service = renamed("bench.v1.AnswerService");
  const serve = `
    (drop (call $read (local.get $c) (i32.const 0) (i32.const 4096) (local.get $len)))
    (drop (call $reply (local.get $c) (i32.const 0) (i32.const 4096) (local.get $len)))`;
  const host = createHost({
    backends: [starter],
    guests: [
      {
        name: "answers",
        module: wat(serving(service.typeName, serve)),
        exports: [service.typeName],
        services: [service],
        grants: ["bench.v1.StarterService/*"],
      },
    ],
    limits: { defaultTimeoutMs: 0 },
  });
  await host.start();
  return { host, service };
}
