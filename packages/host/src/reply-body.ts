import type { Reply } from "@dropthrough/abi";

/** A response as bytes; or how many of it stand in the caller's buffer already. */
export type Bytes = Uint8Array | number;

/**
 * The response that a guest replied with.
 *
 * @throws ConnectError the failure, if it replied with one
 */
export function replyBody(reply: Reply): Bytes {
  if (reply.ok) return reply.body;
  throw reply.error;
}
