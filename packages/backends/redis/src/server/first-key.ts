import type { Argument } from "../connection.ts";

/** Where the first key of a command stands, if not at 1; 0 for none. */
const PLACES: Readonly<Record<string, number>> = {
  PING: 0,
  ECHO: 0,
  TIME: 0,
  SCAN: 0,
  BITOP: 2,
  OBJECT: 2,
  MEMORY: 2,
  XGROUP: 2,
  XINFO: 2,
};

/** The first key of a command: it says which node of a cluster the command is for. */
export function firstKey(args: readonly Argument[]): Argument | undefined {
  const [name = ""] = args;
  if (name === "EVALSHA" || name === "EVAL") return args[2] === "0" ? undefined : args[3];
  const place = PLACES[String(name)] ?? 1;
  return place === 0 ? undefined : args[place];
}
