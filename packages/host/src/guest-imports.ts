import { Code } from "@connectrpc/connect";
import { type Endpoint, parkedWord } from "@dropthrough/abi";
import { Call } from "@dropthrough/dispatch";
import { checkRoom } from "./stack-room.ts";
import { cannotSuspend, canSuspend, suspending } from "./suspension.ts";

/** The imports of one instance, as WebAssembly takes them. */
export interface GuestImports {
  readonly imports: WebAssembly.ModuleImports;
  /** Says where they lead to, once that is there. */
  readonly attach: (endpoint: Endpoint) => void;
}

/**
 * The six imports of one instance. A start function runs before there is an endpoint, or a memory to check anything against: it is
 * told FAILED_PRECONDITION.
 *
 * @param waits is called when the guest begins to wait for another guest
 * @param sharesStack it runs on the host's stack: it goes no further where little of that is left
 */
export function guestImports(waits: (call: Call) => void, sharesStack: boolean): GuestImports {
  let at: Endpoint | undefined;
  const early = -Code.FailedPrecondition;
  const room = sharesStack ? checkRoom : undefined;
  const earlyWord = parkedWord(0, Code.FailedPrecondition);
  const imports = {
    bind: (ptr: number, len: number) => at?.bind(ptr, len) ?? early,
    call: (
      method: number,
      req: number,
      reqLen: number,
      res: number,
      resCap: number,
      timeout: number,
    ) => at?.call(method, req, reqLen, res, resCap, timeout) ?? earlyWord,
    wait: suspending((call = 0, res = 0, cap = 0) => {
      room?.();
      if (at === undefined) return earlyWord;
      const result = at.wait(call, res, cap);
      if (typeof result === "number") return result;
      if (!canSuspend) return at.refuseWait(call, cannotSuspend());
      const waited = at.waiting?.call;
      // What a backend answers comes to an end by itself, and hardly anything else is waited for.
      if (waited instanceof Call && waited.target.entry.kind !== "backend") waits(waited);
      return result;
    }),
    read: (call: number, offset: number, ptr: number, len: number) =>
      at?.read(call, offset, ptr, len) ?? early,
    reply: (call: number, code: number, ptr: number, len: number) =>
      at?.reply(call, code, ptr, len) ?? early,
    release: (call: number) => at?.release(call) ?? early,
  };
  return {
    imports: sharesStack ? checked(imports) : imports,
    attach: (endpoint) => {
      at = endpoint;
    },
  };
}

interface Imports extends Pick<Endpoint, "bind" | "call" | "read" | "reply" | "release"> {
  readonly wait: WebAssembly.ImportValue;
}

/** Each that changes something looks for room before. A function for each: one for all would call them all, which the engine inlines nowhere. */
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
    read,
    reply: (number: number, code: number, ptr: number, len: number) => (
      checkRoom(),
      reply(number, code, ptr, len)
    ),
    release: (number: number) => (checkRoom(), release(number)),
  };
}
