import { KernelGuest, REPLY_WORD } from "./kernel-guest.ts";
import { ECHO } from "./kernel-host.ts";

/** A reactor that exports a service, and serves by passing requests on to another one. */
export function facade(
  service: string,
  target = ECHO,
  requires: string[] = [],
): Uint8Array<ArrayBuffer> {
  const g = new KernelGuest();
  return g.guest({
    initialize: g.launch({ exports: [service], requires }),
    serve: passOn(g, target),
  });
}

/** What passes a request on, and replies with what came of it. */
export const passOn = (g: KernelGuest, target: string): string => `
  (drop (call $read (local.get $call) (i32.const 0) (i32.const 4096) (local.get $len)))
  (local.set $w (call $finish (call $start (call $bound ${g.data(target)}) (i32.const 4096) (local.get $len) (i32.const 0))))
  ${REPLY_WORD}`;
