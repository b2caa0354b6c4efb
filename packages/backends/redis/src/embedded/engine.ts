import type { Clock } from "@dropthrough/dispatch";
import type { Argument, Reply } from "../connection.ts";
import { ReplyError } from "../redis-error.ts";
import type { Script } from "../script.ts";
import { Database } from "./database.ts";
import type { EngineCommand } from "./engine-command.ts";
import { keyCommands } from "./keys.ts";
import { sortedSetCommands } from "./sorted-sets.ts";
import { stringCommands } from "./strings.ts";

/** Every command that the engine knows. */
const COMMANDS: ReadonlyMap<string, EngineCommand> = new Map(
  Object.entries({ ...keyCommands, ...stringCommands, ...sortedSetCommands }),
);

/**
 * The smallest Redis that does what the contract offers: the commands of one, on a map in memory. It answers as a
 * server of version 7 does in RESP3; the rules of the tests run against both.
 */
export class Engine {
  readonly #database: Database;

  constructor(clock: Clock) {
    this.#database = new Database(clock);
  }

  get size(): number {
    return this.#database.size;
  }

  /**
   * Runs one command.
   *
   * @throws ReplyError as Redis would answer it
   */
  run(args: readonly Argument[]): Reply {
    const words = args.map((arg) => (typeof arg === "string" ? arg : arg.toString("latin1")));
    const [name = ""] = words;
    const command = COMMANDS.get(name.toUpperCase());
    if (command === undefined) throw new ReplyError(`ERR unknown command '${name}'`);
    const { words: needed, run } = command;
    if (words.length < Math.abs(needed) || (needed > 0 && words.length > needed)) {
      throw new ReplyError(`ERR wrong number of arguments for '${name.toLowerCase()}' command`);
    }
    return run(this.#database, words);
  }

  /** Runs a script by its TypeScript half. `args` is `["EVALSHA", sha, number of keys, ...keys, ...values]`. */
  runScript(script: Script, args: readonly Argument[]): Reply {
    const keyCount = Number(args[2]);
    const keys = args.slice(3, 3 + keyCount).map((key) => Buffer.from(key));
    return script.run((...words) => this.run(words), keys, args.slice(3 + keyCount));
  }

  clear(): void {
    this.#database.clear();
  }
}
