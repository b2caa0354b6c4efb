import { create, type DescMethodUnary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { EchoService } from "@dropthrough/dispatch/testing";
import { KernelService } from "@dropthrough/kernel";
import { GuestText } from "@dropthrough/guest-text";

/** The contract of the echo service under another name, which a guest may export. */
export function renamed(typeName: string): typeof EchoService {
  const service = { ...EchoService, typeName };
  service.methods = EchoService.methods.map((method) => ({ ...method, parent: service }));
  const named = service.methods.map((method) => [method.localName, method]);
  return Object.assign(service, { method: Object.fromEntries(named) });
}

/** An encoded request. */
export function encode<D extends DescMethodUnary>(
  method: D,
  request: MessageInitShape<D["input"]> = {} as MessageInitShape<D["input"]>,
): Uint8Array {
  return toBinary(method.input, create(method.input, request));
}

/** An EchoRequest with a payload. */
export function payload(text: string, delayMs = 0): Uint8Array {
  return encode(EchoService.method.echo, { payload: Buffer.from(text), delayMs });
}

/**
 * Writes guests that use the kernel as WebAssembly text. What is to be OK and is not traps.
 *
 * ```text
 *  memory:  49152 fields of an event, i32 by number; below as in every GuestText
 *  $w, $k, $call, $len, $out are locals of every function of a guest
 * ```
 */
export class KernelGuest extends GuestText {
  /** A call of the kernel that has to be OK. */
  kernel<M extends DescMethodUnary>(method: M, request?: MessageInitShape<M["input"]>): string {
    return this.must(`${KernelService.typeName}/${method.name}`, encode(method, request));
  }

  /** Registers, exports and requires services, and launches; binds Echo of what it exports. */
  launch({ exports: exported = [], requires = [] }: Launching = {}): string {
    const { register, export: exportTo, require, launch } = KernelService.method;
    return [
      this.kernel(register),
      this.kernel(exportTo, { services: [...exported] }),
      this.kernel(require, { services: [...requires] }),
      ...exported.map((name) => `(drop ${this.bind(`${name}/Echo`)})`),
      this.kernel(launch),
    ].join("\n");
  }

  /**
   * Receives: an expression that answers the field of the event (1 incoming, 2 finished, 3 exit, 4 timeout), whose own
   * fields are at `$field` then; or minus the code of the failure.
   */
  receive(timeoutMs?: number, callTimeoutMs = 0): string {
    const { receive } = KernelService.method;
    const request = encode(receive, timeoutMs === undefined ? {} : { timeoutMs });
    return `(call $event ${this.call(`${KernelService.typeName}/Receive`, request, callTimeoutMs)})`;
  }

  /** Receives until `br $done`; `on` is what each event is answered with, by its field. */
  loop(on: { incoming?: string; finished?: string; exit?: string; timeout?: string }): string {
    const arms = [on.incoming, on.finished, on.exit, on.timeout].map((arm, i) =>
      arm === undefined
        ? ""
        : `(if (i32.eq (local.get $k) (i32.const ${i + 1})) (then ${arm} (br $again)))`,
    );
    return `(block $done (loop $again
      (local.set $k ${this.receive()})
      (local.set $call (call $field (i32.const 1))) (local.set $len (call $field (i32.const 3)))
      ${arms.join("\n")}
      unreachable))`;
  }

  /** Exits. */
  exit(code: number, reason = ""): string {
    return this.kernel(KernelService.method.exit, { code, reason });
  }

  /** A module with `_start`, or with `_initialize` and `dropthrough_v1_serve`, or with whatever `more` has. */
  guest({ start, initialize, serve, more = "" }: Functions): Uint8Array<ArrayBuffer> {
    const locals =
      "(local $w i32) (local $k i32) (local $call i32) (local $len i32) (local $out i32)";
    const functions = [
      start && `(func (export "_start") ${locals} ${start})`,
      initialize && `(func (export "_initialize") ${locals} ${initialize})`,
      serve &&
        `(func (export "dropthrough_v1_serve") (param $call i32) (param $method i32) (param $len i32)
          (local $w i32) (local $k i32) (local $out i32) ${serve})`,
      more,
    ];
    return this.module(`${LIBRARY} ${functions.filter(Boolean).join("\n")}`);
  }
}

interface Launching {
  readonly exports?: readonly string[];
  readonly requires?: readonly string[];
}

interface Functions {
  readonly start?: string;
  readonly initialize?: string;
  readonly serve?: string;
  readonly more?: string;
}

/** Answers the incoming call $call of $len bytes with its own request. */
export const ECHO_BACK = `
  (drop (call $read (local.get $call) (i32.const 0) (i32.const 4096) (local.get $len)))
  (drop (call $reply (local.get $call) (i32.const 0) (i32.const 4096) (local.get $len)))`;

/** Answers the incoming call $call with the result word $w, its body read from the response. */
export const REPLY_WORD = `
  (if (i32.ge_s (local.get $w) (i32.const 0))
    (then (drop (call $reply (local.get $call) (i32.const 0) (i32.const 8192) (local.get $w))))
    (else
      (local.set $len (call $read (call $number (local.get $w)) (i32.const 0) (i32.const 8192) (i32.const 4096)))
      (drop (call $reply (local.get $call) (call $code (local.get $w)) (i32.const 8192) (local.get $len)))))`;

const LIBRARY = `
  (func $start (param $method i32) (param $ptr i32) (param $len i32) (param $timeout i32) (result i32)
    (call $call (local.get $method) (local.get $ptr) (local.get $len) (i32.const 8192) (i32.const 4096) (local.get $timeout)))
  (func $number (param $word i32) (result i32) (i32.and (i32.xor (local.get $word) (i32.const -1)) (i32.const 0xffffff)))
  (func $field (param $n i32) (result i32) (i32.load (i32.add (i32.const 49152) (i32.mul (local.get $n) (i32.const 4)))))
  (global $at (mut i32) (i32.const 0))
  (func $varint (result i32) (local $value i32) (local $shift i32) (local $byte i32)
    (loop $more
      (local.set $byte (i32.load8_u (global.get $at)))
      (global.set $at (i32.add (global.get $at) (i32.const 1)))
      (local.set $value (i32.or (local.get $value) (i32.shl (i32.and (local.get $byte) (i32.const 127)) (local.get $shift))))
      (local.set $shift (i32.add (local.get $shift) (i32.const 7)))
      (br_if $more (i32.ge_u (local.get $byte) (i32.const 128))))
    (local.get $value))
  ;; Decodes a ReceiveResponse, whose word this is.
  (func $event (param $word i32) (result i32) (local $kind i32) (local $end i32) (local $tag i32)
    (local.set $word (call $finish (local.get $word)))
    (if (i32.lt_s (local.get $word) (i32.const 0)) (then (return (i32.sub (i32.const 0) (call $code (local.get $word))))))
    (memory.fill (i32.const 49152) (i32.const 0) (i32.const 32))
    (global.set $at (i32.const 8192))
    (local.set $kind (i32.shr_u (call $varint) (i32.const 3)))
    (local.set $end (call $varint))
    (local.set $end (i32.add (global.get $at) (local.get $end)))
    (block $over (loop $more
      (br_if $over (i32.ge_u (global.get $at) (local.get $end)))
      (local.set $tag (call $varint))
      (if (i32.eq (i32.and (local.get $tag) (i32.const 7)) (i32.const 2))
        (then (local.set $word (call $varint)) (global.set $at (i32.add (global.get $at) (local.get $word))))
        (else (i32.store (i32.add (i32.const 49152) (i32.mul (i32.shr_u (local.get $tag) (i32.const 3)) (i32.const 4))) (call $varint))))
      (br $more)))
    (local.get $kind))`;
