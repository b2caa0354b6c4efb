import { Code } from "@connectrpc/connect";
import { type Endpoint, parkedWord } from "@dropthrough/abi";
import { cannotSuspend, canSuspend, suspending } from "./suspension.ts";

/**
 * The six imports of one instance. A start function runs before there is an endpoint, or a memory to check anything against: it is
 * told FAILED_PRECONDITION.
 *
 * @param at has the host's end of the instance, once it is there
 * @param waits is called when the guest begins to wait
 */
export function guestImports(
  at: { readonly endpoint: Endpoint | undefined },
  waits: () => void,
): WebAssembly.ModuleImports {
  const early = -Code.FailedPrecondition;
  const earlyWord = parkedWord(0, Code.FailedPrecondition);
  return {
    bind: (ptr: number, len: number) => at.endpoint?.bind(ptr, len) ?? early,
    call: (
      method: number,
      req: number,
      reqLen: number,
      res: number,
      resCap: number,
      timeout: number,
    ) => at.endpoint?.call(method, req, reqLen, res, resCap, timeout) ?? earlyWord,
    wait: suspending((call = 0, res = 0, cap = 0) => {
      const it = at.endpoint;
      if (it === undefined) return earlyWord;
      const result = it.wait(call, res, cap);
      if (typeof result === "number") return result;
      if (!canSuspend) return it.refuseWait(call, cannotSuspend());
      waits();
      return result;
    }),
    read: (call: number, offset: number, ptr: number, len: number) =>
      at.endpoint?.read(call, offset, ptr, len) ?? early,
    reply: (call: number, code: number, ptr: number, len: number) =>
      at.endpoint?.reply(call, code, ptr, len) ?? early,
    release: (call: number) => at.endpoint?.release(call) ?? early,
  };
}
