import { randomBytes } from "node:crypto";

/** The most bytes of one Random. */
export const MOST_RANDOM = 65_536;

/** The machine's source for keys. */
export function systemRandom(length: number): Uint8Array {
  return randomBytes(length);
}
