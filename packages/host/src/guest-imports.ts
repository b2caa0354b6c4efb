import { Code } from "@connectrpc/connect";
import { type Endpoint, parkedWord } from "@dropthrough/abi";
import { checkRoom } from "./stack-room.ts";
import { cannotSuspend, canSuspend, suspending } from "./suspension.ts";

/**
 * The six imports of one instance. A start function runs before there is an endpoint, or a memory to check anything against: it is
 * told FAILED_PRECONDITION.
 *
 * @param at has the host's end of the instance, once it is there
 * @param waits is called when the guest begins to wait
 * @param sharesStack it runs on the host's stack: it goes no further where little of that is left
 */
export function guestImports(
  at: { readonly endpoint: Endpoint | undefined },
  waits: () => void,
  sharesStack: boolean,
): WebAssembly.ModuleImports {
  const early = -Code.FailedPrecondition;
  const room = sharesStack ? checkRoom : undefined;
  const earlyWord = parkedWord(0, Code.FailedPrecondition);
  const imports = {
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
      room?.();
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
  return sharesStack ? checked(imports) : imports;
}

interface Imports {
  readonly bind: (ptr: number, len: number) => number;
  readonly call: (
    method: number,
    req: number,
    reqLen: number,
    res: number,
    resCap: number,
    timeout: number,
  ) => number;
  readonly wait: WebAssembly.ImportValue;
  readonly read: (call: number, offset: number, ptr: number, len: number) => number;
  readonly reply: (call: number, code: number, ptr: number, len: number) => number;
  readonly release: (call: number) => number;
}

/** Each looks for room before it does anything. A function for each: one for all would call six, which the engine inlines nowhere. */
function checked({ bind, call, wait, read, reply, release }: Imports): WebAssembly.ModuleImports {
  return {
    bind: (ptr: number, len: number) => (checkRoom(), bind(ptr, len)),
    call: (
      method: number,
      req: number,
      reqLen: number,
      res: number,
      resCap: number,
      timeout: number,
    ) => (checkRoom(), call(method, req, reqLen, res, resCap, timeout)),
    wait,
    read: (number: number, offset: number, ptr: number, len: number) => (
      checkRoom(),
      read(number, offset, ptr, len)
    ),
    reply: (number: number, code: number, ptr: number, len: number) => (
      checkRoom(),
      reply(number, code, ptr, len)
    ),
    release: (number: number) => (checkRoom(), release(number)),
  };
}
