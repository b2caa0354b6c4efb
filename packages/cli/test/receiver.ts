import { ECHO_BACK, KernelGuest, payload } from "./kernel-guest.ts";
import { NOTE } from "./kernel-host.ts";

/** A command that serves x.a through Receive, and notes what else it is told; `before` runs first. */
export function receiver(
  more: { before?: (g: KernelGuest) => string; incoming?: string } = {},
): Uint8Array<ArrayBuffer> {
  const g = new KernelGuest();
  return g.guest({
    start: `${g.launch({ exports: ["x.a"] })} ${more.before?.(g) ?? ""}
      ${g.loop({ incoming: more.incoming ?? ECHO_BACK, finished: g.must(NOTE, payload("finished")), exit: `${g.must(NOTE, payload("exit"))} ${g.exit(7)}` })}`,
  });
}
