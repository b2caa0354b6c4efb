import { create, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { EchoService } from "@dropthrough/dispatch/testing";
import { GuestText, wat } from "@dropthrough/guest-text";
import { KernelService } from "@dropthrough/kernel";

export const ECHO = EchoService.typeName;
export const ECHO_GRANTS: readonly string[] = [`${ECHO}/*`];
export const FACADE = "test.v1.Facade";

const KERNEL = KernelService.typeName;

/** An EchoRequest. */
export function echoRequest(
  init: { payload?: string; delayMs?: number; code?: number; message?: string } = {},
): Uint8Array {
  const { payload = "", ...rest } = init;
  const { input } = EchoService.method.echo;
  return toBinary(input, create(input, { payload: Buffer.from(payload), ...rest }));
}

/** A message with one text in field 1, such as an ExportRequest. */
function text(value: string): Uint8Array {
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.of(0x0a, bytes.length), bytes]);
}

/** The body of `dropthrough_v1_serve` that passes every request on, and its answer back. */
function passOn(guest: GuestText, name: string): string {
  return `(drop (call $read (local.get 0) (i32.const 0) (i32.const 4096) (local.get 2)))
    (drop (call $reply (local.get 0) (i32.const 0) (i32.const 8192) (call $ok (call $call ${guest.bind(name)}
      (i32.const 4096) (local.get 2) (i32.const 8192) (i32.const 4096) (i32.const 0)))))`;
}

/** A command that calls one method. */
export function caller(request = echoRequest(), name = `${ECHO}/Echo`): Uint8Array<ArrayBuffer> {
  const guest = new GuestText();
  return guest.module(`(func (export "_start") ${guest.must(name, request)})`);
}

/** A command that asks for its arguments. */
export function asker(): Uint8Array<ArrayBuffer> {
  return caller(new Uint8Array(), `${KERNEL}/Arguments`);
}

/** A command that asks for its environment. */
export function environmentAsker(): Uint8Array<ArrayBuffer> {
  return caller(new Uint8Array(), `${KERNEL}/Environment`);
}

/** A reactor that exports the facade, whose one method passes requests on to Echo. */
export function facade(): Uint8Array<ArrayBuffer> {
  const guest = new GuestText();
  return guest.module(`
    (func (export "_initialize")
      ${guest.must(`${KERNEL}/Register`, text("facade"))}
      ${guest.must(`${KERNEL}/Export`, text(FACADE))}
      (drop ${guest.bind(`${FACADE}/Relay`)})
      ${guest.must(`${KERNEL}/Arguments`)}
      ${guest.must(`${KERNEL}/Launch`)})
    (func (export "dropthrough_v1_serve") (param i32 i32 i32) ${passOn(guest, `${ECHO}/Echo`)})`);
}

/** A command that calls the facade. */
export function client(request: Uint8Array): Uint8Array<ArrayBuffer> {
  const guest = new GuestText();
  return guest.module(`
    (func (export "_start")
      ${guest.must(`${KERNEL}/Register`, text("client"))}
      ${guest.must(`${KERNEL}/Require`, text(FACADE))}
      ${guest.must(`${KERNEL}/Launch`)}
      ${guest.must(`${FACADE}/Relay`, request)})`);
}

/** A command that exits by the kernel. */
export function exits(code: number, reason = ""): Uint8Array<ArrayBuffer> {
  const { input } = KernelService.method.exit;
  return caller(toBinary(input, create(input, { code, reason })), `${KERNEL}/Exit`);
}

/** A command that requires what nobody exports, and does not look at what Launch answers. */
export function ignorant(): Uint8Array<ArrayBuffer> {
  const guest = new GuestText();
  return guest.module(`
    (func (export "_start")
      ${guest.must(`${KERNEL}/Register`)}
      ${guest.must(`${KERNEL}/Require`, text("x.v1.Nobody"))}
      (drop ${guest.call(`${KERNEL}/Launch`, new Uint8Array())}))`);
}

/** A reactor that serves, and does nothing. */
export function idle(): Uint8Array<ArrayBuffer> {
  return wat(`(module (memory (export "memory") 1)
    (func (export "_initialize"))
    (func (export "dropthrough_v1_serve") (param i32 i32 i32)))`);
}

/** The descriptors of the facade, as a guest library writes them. */
export function facadeDescriptors(): ReturnType<typeof create<typeof FileDescriptorSetSchema>> {
  const file = create(FileDescriptorProtoSchema, {
    name: "test/v1/facade.proto",
    package: "test.v1",
    syntax: "proto3",
    dependency: [EchoService.file.proto.name],
    service: [
      {
        name: "Facade",
        method: [
          {
            name: "Relay",
            inputType: `.${EchoService.method.echo.input.typeName}`,
            outputType: `.${EchoService.method.echo.output.typeName}`,
          },
        ],
      },
    ],
  });
  return create(FileDescriptorSetSchema, { file: [EchoService.file.proto, file] });
}
