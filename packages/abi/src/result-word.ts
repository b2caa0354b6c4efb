/**
 * The result word: the one i32 that `call` and `wait` answer (docs/ABI.md, "The result word").
 *
 * ```text
 *  word >= 0   done: OK, that many bytes stand at res_ptr
 *  word <  0   ~word:  31 | 30 .. 26 | 25 .. 24 | 23 ............ 0
 *                       0 |   code   |  state   |   call number
 *
 *  -83886087 = ~0x05000006    code 1 (CANCELLED), state 1 (parked), call 6: read it or release it
 * ```
 */

/** The body waits at the host. */
export const PARKED = 1;
/** The call is not done. */
export const PENDING = 2;

/** The largest call number, and so the most calls that can be told apart. */
export const MAX_CALL_NUMBER = 0xff_ffff;

/**
 * The word of a call whose body the host keeps.
 *
 * @param call the call number, or 0 where there is no body to read
 * @param code 0 for a response that did not fit, else the code of the `Status` that is parked
 */
export function parkedWord(call: number, code: number): number {
  return ~((code << 26) | (PARKED << 24) | call);
}

/** The word of a call that is not done. */
export function pendingWord(call: number): number {
  return ~((PENDING << 24) | call);
}

/** A result word, taken apart. */
export type Result =
  | { readonly state: "done"; readonly length: number }
  | { readonly state: "parked"; readonly call: number; readonly code: number }
  | { readonly state: "pending"; readonly call: number };

/** Takes a result word apart, for hosts, tests and tools. */
export function readWord(word: number): Result {
  if (word >= 0) return { state: "done", length: word };
  const bits = ~word;
  const call = bits & MAX_CALL_NUMBER;
  if (((bits >>> 24) & 3) === PENDING) return { state: "pending", call };
  return { state: "parked", call, code: bits >>> 26 };
}
