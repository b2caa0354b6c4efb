import { pendingWord } from "@dropthrough/abi";
import type { Sample } from "./case.ts";
import { promising, Suspending } from "./jspi.ts";

/** What answers the calls: 64 bytes for 64 bytes. */
type Handler = (request: {
  readonly payload: Uint8Array;
}) => Promise<{ readonly payload: Uint8Array }>;

/**
 * Runs a guest of a benchmark with imports of a few lines in place of a host: no codec, no dispatch, no deadline, no limit,
 * and nothing is checked. What it takes is the engine's: its promises, its suspended stacks, a copy of 64 bytes each way.
 *
 * ```text
 *  req_ptr: 0a 40 │ 64 bytes ─ slice ─▶ handler ─▶ promise ─ set ─▶ res_ptr: 0a 40 │ 64 bytes
 * ```
 *
 * @param module of a guest that, when it is served, calls as often as it reads that it is to
 */
export function bareHost(module: Uint8Array<ArrayBuffer>, handler: Handler): Sample {
  let started = false;
  let times = 0;
  let over = (): void => {};
  let pending: Promise<number> | undefined;
  const imports = {
    bind: () => 0,
    call(_method: number, req: number, reqLen: number, res: number) {
      // To export its service, the guest calls as well.
      if (!started) return 0;
      const answered = handler({ payload: bytes.slice(req + 2, req + reqLen) });
      const finish = ({ payload }: { readonly payload: Uint8Array }): number => {
        bytes[res] = 0x0a;
        bytes[res + 1] = payload.length;
        bytes.set(payload, res + 2);
        return payload.length + 2;
      };
      if (done === undefined) pending = answered.then(finish);
      else void answered.then((response) => done(1, finish(response)));
      return pendingWord(1);
    },
    wait: new Suspending(() => pending as Promise<number>),
    read(_call: number, _offset: number, ptr: number) {
      bytes[ptr] = 0x0a;
      bytes[ptr + 1] = 4;
      new DataView(bytes.buffer).setUint32(ptr + 2, times, true);
      return 6;
    },
    reply() {
      over();
      return 0;
    },
  };
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module), {
    dropthrough_v1: imports,
  });
  const bytes = new Uint8Array((exports["memory"] as WebAssembly.Memory).buffer);
  const done = exports["dropthrough_v1_done"] as ((call: number, word: number) => void) | undefined;
  const serve = promising(exports["dropthrough_v1_serve"]);
  (exports["_initialize"] as () => void)();
  started = true;
  return async (count) => {
    times = count;
    const start = process.hrtime.bigint();
    await new Promise<void>((resolve, reject) => {
      over = resolve;
      serve(1, 0, 6).catch(reject);
    });
    return Number(process.hrtime.bigint() - start);
  };
}
