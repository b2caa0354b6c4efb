import { createHash } from "node:crypto";
import type { Argument, Reply } from "./connection.ts";

/** Runs one command inside a script; the embedded engine gives it. */
export type CallCommand = (...args: readonly Argument[]) => Reply;

/** A script of ours: in Lua for a server, and the same in TypeScript for the embedded engine, which has no Lua. */
export interface Script {
  readonly source: string;
  /** The name that a server knows it by. */
  readonly sha: string;
  readonly run: (call: CallCommand, keys: readonly Buffer[], values: readonly Argument[]) => Reply;
}

/** Makes a script. */
export function defineScript(source: string, run: Script["run"]): Script {
  return { source, sha: createHash("sha1").update(source).digest("hex"), run };
}
