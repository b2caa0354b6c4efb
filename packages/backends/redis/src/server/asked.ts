import type { Reply } from "../connection.ts";

/**
 * Who waits for what comes of a command: one of the two is called, once, and must not throw. Written with callbacks: each
 * promise between a reply and the guest is one more time that a thousand calls are all gone through.
 */
export interface Asked {
  answered(reply: Reply): void;
  /** @param error an error reply, or what became of the connection */
  failed(error: unknown): void;
}
