import type { Reply } from "../connection.ts";
import type { Database } from "./database.ts";

/** One command of the engine. Every word is a string with one character for each byte, so `<` orders bytes. */
export interface EngineCommand {
  /** How many words it takes, with its name; below 0, at least so many. */
  readonly words: number;
  /** @throws ReplyError as Redis would answer it */
  readonly run: (database: Database, words: readonly string[]) => Reply;
}

/** The commands of a family, by name. */
export type EngineCommands = Readonly<Record<string, EngineCommand>>;
