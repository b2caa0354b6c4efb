import { ConnectError } from "@connectrpc/connect";
import { echo, type EchoService } from "@dropthrough/dispatch/testing";
import { expect } from "vitest";
import { createHost, type GuestConfig, type Host, type HostOptions } from "../src/index.ts";
import { CONTROL, control, ECHO, echoRequest, FACADE, renamed } from "./control.ts";
import { GuestText } from "@dropthrough/guest-text";

/** What guests of these tests are granted. */
export const ALL: readonly string[] = [
  "test.v1.ControlService/*",
  "dropthrough.testing.v1.EchoService/*",
  `${FACADE}/*`,
];
/** The contract that they export to each other. */
export const facadeService: typeof EchoService = renamed(FACADE);

/** A host with the echo and control backends. */
export function start(
  guests: (Omit<GuestConfig, "module"> & { module: Uint8Array<ArrayBuffer> })[],
  options: HostOptions & { log?: string[] } = {},
): Host {
  const { log = [], backends = [], ...rest } = options;
  return createHost({
    backends: [echo(), control(log), ...backends],
    guests: guests.map((guest) => ({ grants: ALL, ...guest })),
    onExit: () => {},
    onIncident: () => {},
    ...rest,
  });
}

/** Sends a command to the control backend. */
export const say = (g: GuestText, text: string): string =>
  `(drop (call $ok ${g.call(CONTROL, echoRequest(text))}))`;

/** A guest that runs `body` in `_start` and ends. */
export function command(body: (g: GuestText) => string): Uint8Array<ArrayBuffer> {
  const g = new GuestText();
  return g.module(`(func (export "_start") (local $w i32) ${body(g)})`);
}

/** A guest that exports the facade service; `body` is what serve does with its parameters $call $method $len. */
export function facade(
  body: (g: GuestText) => string,
  more = "",
  methods = ["Echo"],
): Uint8Array<ArrayBuffer> {
  const g = new GuestText();
  return g.module(`
    (func (export "_initialize")
      ${say(g, `export ${FACADE}`)}
      ${methods.map((m) => `(drop ${g.bind(`${FACADE}/${m}`)})`).join("")}
      ${say(g, "launch")})
    (func (export "dropthrough_v1_serve") (param $call i32) (param $method i32) (param $len i32) (local $w i32)
      ${body(g)})
    ${more}`);
}

/** Serves by passing the request on to the echo backend. */
export const passThrough = (g: GuestText): string => `
  (drop (call $read (local.get $call) (i32.const 0) (i32.const 4096) (local.get $len)))
  (local.set $w (call $finish (call $call ${g.bind(ECHO)} (i32.const 4096) (local.get $len) (i32.const 8192) (i32.const 4096) (i32.const 0))))
  (if (i32.ge_s (local.get $w) (i32.const 0))
    (then (drop (call $reply (local.get $call) (i32.const 0) (i32.const 8192) (local.get $w))))
    (else (drop (call $reply (local.get $call) (call $code (local.get $w)) (i32.const 0) (i32.const 0)))))`;

/** How a call failed. */
export async function failure(promise: Promise<unknown>): Promise<ConnectError> {
  return promise.then(
    () => expect.fail("it succeeded"),
    (error: unknown) => ConnectError.from(error),
  );
}
