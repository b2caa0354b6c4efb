import { isReplyError } from "./client.ts";

/** Where a command should have gone, as the node of a cluster says that got it. It was not done. */
export interface Elsewhere {
  readonly asking: boolean;
  readonly slot: number;
  /** The address; without a host it is that of who says so. */
  readonly shown: string;
}

/** Where a node says that a key is: `MOVED 3999 127.0.0.1:6381`, or ASK while it is moved. */
export function elsewhere(error: unknown): Elsewhere | undefined {
  if (!isReplyError(error)) return undefined;
  const [, kind, slot, shown] = /^(MOVED|ASK) (\d+) (\S+)$/.exec(error.message) ?? [];
  if (shown === undefined) return undefined;
  return { asking: kind === "ASK", slot: Number(slot), shown };
}
