import { create, type DescMessage, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { EchoService } from "@dropthrough/dispatch/testing";
import { GuestText } from "@dropthrough/guest-text";
import {
  ExitRequestSchema,
  ExportRequestSchema,
  KernelService,
  LocateRequestSchema,
  RequireRequestSchema,
} from "@dropthrough/kernel";
import { PROBE } from "./probe.ts";

const KERNEL = KernelService.typeName;
export const ECHO: string = `${EchoService.typeName}/Echo`;
const NOTHING = new Uint8Array();

function encode<D extends DescMessage>(desc: D, init: MessageInitShape<D>): Uint8Array {
  return toBinary(desc, create(desc, init));
}

/** An encoded EchoRequest. */
export function echoRequest(payload: string, delayMs = 0): Uint8Array {
  return encode(EchoService.method.echo.input, { payload: Buffer.from(payload), delayMs });
}

/**
 * A guest that uses the kernel as a guest library does: what must not fail traps if it does. Every function answers
 * WebAssembly text.
 *
 * ```text
 *  _initialize or _start ─▶ register, exports, requires, launch, …
 *  dropthrough_v1_serve  ─▶ tells the probe that it serves ─▶ the text of the method
 * ```
 */
export class KernelGuest extends GuestText {
  /** The text of each method that it serves, by name; each has a global with its number. */
  readonly #serves: { readonly name: string; readonly text: string }[] = [];

  /** A call whose answer does not matter to the guest. */
  try(name: string, request: Uint8Array = NOTHING, timeoutMs = 0): string {
    return `(drop (call $finish ${this.call(name, request, timeoutMs)}))`;
  }

  register(): string {
    return this.must(`${KERNEL}/Register`);
  }

  /** Exports a service whose methods have these texts, with $call, $method, $len and a local $w. */
  exports(name: string, methods: Readonly<Record<string, string>> = {}): string {
    const binds = Object.entries(methods).map(([method, text]) => {
      const full = `${name}/${method}`;
      const at = this.#serves.push({ name: full, text }) - 1;
      return `(global.set $m${at} ${this.bind(full)})`;
    });
    const request = encode(ExportRequestSchema, { services: [name] });
    return [this.must(`${KERNEL}/Export`, request), ...binds].join("\n");
  }

  requires(...services: string[]): string {
    return this.must(`${KERNEL}/Require`, encode(RequireRequestSchema, { services }));
  }

  launch(): string {
    return this.must(`${KERNEL}/Launch`);
  }

  locate(name: string): string {
    return this.try(`${KERNEL}/Locate`, encode(LocateRequestSchema, { service: name }));
  }

  exit(code: number, reason: string): string {
    return this.try(`${KERNEL}/Exit`, encode(ExitRequestSchema, { code, reason }));
  }

  /** Requires what the operator's arguments name: a list of texts is encoded alike in both messages. */
  requiresArguments(): string {
    return `(local.set $w (call $ok ${this.call(`${KERNEL}/Arguments`, NOTHING)}))
      (drop (call $ok (call $call ${this.bind(`${KERNEL}/Require`)} (i32.const 8192) (local.get $w) (i32.const 8192) (i32.const 4096) (i32.const 0))))`;
  }

  /** Waits so many milliseconds, up to the startup of a host. */
  later(ms: number): string {
    return this.must(ECHO, echoRequest("", ms));
  }

  /** Reads the request to 4096. */
  readRequest(): string {
    return `(drop (call $read (local.get $call) (i32.const 0) (i32.const 4096) (local.get $len)))`;
  }

  /** Replies the request as it is. */
  replySame(): string {
    return `${this.readRequest()} (drop (call $reply (local.get $call) (i32.const 0) (i32.const 4096) (local.get $len)))`;
  }

  reply(text: string): string {
    return `(drop (call $reply (local.get $call) (i32.const 0) ${this.data(text)}))`;
  }

  /** Replies what another method answers to the same request. */
  passOn(name: string): string {
    return `${this.readRequest()}
      (local.set $w (call $finish (call $call ${this.bind(name)} (i32.const 4096) (local.get $len) (i32.const 8192) (i32.const 4096) (i32.const 0))))
      (if (i32.ge_s (local.get $w) (i32.const 0))
        (then (drop (call $reply (local.get $call) (i32.const 0) (i32.const 8192) (local.get $w))))
        (else (drop (call $reply (local.get $call) (call $code (local.get $w)) (i32.const 0) (i32.const 0)))))`;
  }

  /** A guest that runs `text` and ends. */
  command(text: string): Uint8Array<ArrayBuffer> {
    return this.module(this.#body("_start", text));
  }

  /** A guest that runs `text`, and then serves. `more` may hold globals and exports. */
  reactor(text: string, more = ""): Uint8Array<ArrayBuffer> {
    return this.module(`${this.#body("_initialize", text)}\n${more}`);
  }

  #body(entry: string, text: string): string {
    const globals = this.#serves.map((_, at) => `(global $m${at} (mut i32) (i32.const -1))`);
    const cases = this.#serves.map(
      (method, at) =>
        `(if (i32.eq (local.get $method) (global.get $m${at})) (then ${method.text}))`,
    );
    return `${globals.join("\n")}
      (func (export "${entry}") (local $w i32) ${text})
      (func (export "dropthrough_v1_serve") (param $call i32) (param $method i32) (param $len i32) (local $w i32)
        ${this.must(PROBE)} ${cases.join("\n")})`;
  }
}

/** A command. */
export function command(text: (g: KernelGuest) => string): Uint8Array<ArrayBuffer> {
  const g = new KernelGuest();
  return g.command(text(g));
}

/** A guest that registers, exports, requires, and launches; its methods answer what they are sent. */
export function service(
  name: string,
  requires: readonly string[] = [],
  methods?: (g: KernelGuest) => Record<string, string>,
): Uint8Array<ArrayBuffer> {
  const g = new KernelGuest();
  const served = methods?.(g) ?? { Echo: g.replySame() };
  const required = requires.length === 0 ? "" : g.requires(...requires);
  return g.reactor(`${g.register()} ${g.exports(name, served)} ${required} ${g.launch()}`);
}

/**
 * A guest with an event loop that passes every call on to the echo backend, so that it has many in flight.
 *
 * ```text
 *  32768 + 4 * outgoing number: the incoming call that it is made for
 * ```
 *
 * @param extra text that runs first in serve
 * @param also services that it exports without any method
 */
export function loop(
  name: string,
  extra: (g: KernelGuest) => string = () => "",
  also: readonly string[] = [],
): Uint8Array<ArrayBuffer> {
  const g = new KernelGuest();
  const forward = `${extra(g)} ${g.readRequest()}
    (local.set $w (call $call ${g.bind(ECHO)} (i32.const 4096) (local.get $len) (i32.const 0) (i32.const 0) (i32.const 0)))
    (i32.store (i32.add (i32.const 32768) (i32.mul (i32.const 4) (i32.and (i32.xor (local.get $w) (i32.const -1)) (i32.const 0xffffff)))) (local.get $call))`;
  const start = `${g.register()} ${g.exports(name, { Echo: forward })} ${also.map((other) => g.exports(other)).join("\n")} ${g.launch()}`;
  return g.reactor(
    start,
    `(global $count (mut i32) (i32.const 0))
    (func (export "dropthrough_v1_done") (param $out i32) (param $word i32) (local $len i32)
      (local.set $len (call $read (local.get $out) (i32.const 0) (i32.const 8192) (i32.const 4096)))
      (drop (call $release (local.get $out)))
      (drop (call $reply (i32.load (i32.add (i32.const 32768) (i32.mul (i32.const 4) (local.get $out)))) (i32.const 0) (i32.const 8192) (local.get $len))))`,
  );
}
