import { setTimeout as sleep } from "node:timers/promises";
import { ReplyError, unavailable } from "../redis-error.ts";

/** How often a command, or a watch, may be told that its key is somewhere else. */
export const MOST_MOVES = 16;

/**
 * Waits before something is sent elsewhere once more. Nodes that do not agree agree soon: the last time, half of
 * `outageWaitMs` goes by, the time before half of that, and so on. All that waits keeps its order.
 *
 * @param moves how often it was sent elsewhere before
 * @param closing ends it at once
 */
export async function untilAgreed(
  moves: number,
  outageWaitMs: number,
  closing: AbortSignal,
): Promise<void> {
  const ms = outageWaitMs / 2 ** (MOST_MOVES - moves);
  if (ms >= 1) await sleep(ms, undefined, { signal: closing });
}

/** Nobody knows where it is, or each says another one. That passes. */
export function astray(error: unknown): Error {
  const said = error instanceof Error ? error.message : "";
  return unavailable(`no node of the cluster takes it: one says ${said}`, 1_000, error);
}

export function nobody(): Error {
  return new ReplyError("CLUSTERDOWN no node has the slot");
}
