import { isReplyError } from "./client.ts";

/** Where a command should have gone, as the node of a cluster says that got it. It was not done. */
export interface Elsewhere {
  readonly asking: boolean;
  readonly slot: number;
  /** Empty for that of who says so. */
  readonly host: string;
  readonly port: number;
}

/** Where a node says that a key is: `MOVED 3999 127.0.0.1:6381`, or ASK while it is moved. */
export function elsewhere(error: unknown): Elsewhere | undefined {
  if (!isReplyError(error)) return undefined;
  const said = /^(MOVED|ASK) (\d{1,5}) (\S{0,255}):(\d{1,5})$/.exec(error.message);
  if (said === null) return undefined;
  const [, kind, slot, host = "", port] = said;
  return { asking: kind === "ASK", slot: Number(slot), host, port: Number(port) };
}
