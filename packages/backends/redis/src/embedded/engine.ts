import type { Clock } from "@dropthrough/dispatch";
import type { Argument, Reply } from "../connection.ts";
import { ReplyError } from "../redis-error.ts";
import type { Script } from "../script.ts";
import { ChannelTable } from "./channel-table.ts";
import { Database } from "./database.ts";
import type { EngineCommand } from "./engine-command.ts";
import { hashCommands } from "./hashes.ts";
import { keyCommands } from "./keys.ts";
import { listCommands } from "./lists.ts";
import { GROWING, ITEM_BYTES } from "./memory.ts";
import { setCommands } from "./sets.ts";
import { sortedSetCommands } from "./sorted-sets.ts";
import { stringCommands } from "./strings.ts";

/** Every command that the engine knows. */
const COMMANDS: ReadonlyMap<string, EngineCommand> = new Map(
  Object.entries({
    ...keyCommands,
    ...stringCommands,
    ...hashCommands,
    ...listCommands,
    ...setCommands,
    ...sortedSetCommands,
  }),
);

/**
 * The smallest Redis that does what the contract offers: the commands of one, on a map in memory. It answers as a
 * server of version 7 does in RESP3; the rules of the tests run against both.
 */
export class Engine {
  /** Who listens to what. */
  readonly channels: ChannelTable = new ChannelTable();
  readonly #database: Database;
  readonly #maxBytes: number;

  /** @param maxBytes what it may take of the host's memory, about */
  constructor(clock: Clock, maxBytes: number) {
    this.#database = new Database(clock);
    this.#maxBytes = maxBytes;
  }

  get size(): number {
    return this.#database.size;
  }

  get bytes(): number {
    return this.#database.bytes;
  }

  /**
   * Runs one command.
   *
   * @throws ReplyError as Redis would answer it
   */
  run(args: readonly Argument[]): Reply {
    const words = args.map((arg) => (typeof arg === "string" ? arg : arg.toString("latin1")));
    const name = words[0]?.toUpperCase() ?? "";
    // It is about no key.
    if (name === "PUBLISH") return this.channels.publish(words[1] ?? "", words[2] ?? "");
    const command = COMMANDS.get(name);
    if (command === undefined) throw new ReplyError(`ERR unknown command '${name}'`);
    const { words: needed, run } = command;
    if (words.length < Math.abs(needed) || (needed > 0 && words.length > needed)) {
      throw new ReplyError(`ERR wrong number of arguments for '${name.toLowerCase()}' command`);
    }
    const grown = GROWING.get(name);
    if (grown === undefined) return run(this.#database, words);
    if (this.#database.bytes > this.#maxBytes) {
      throw new ReplyError("OOM command not allowed when used memory > 'maxmemory'.");
    }
    const reply = run(this.#database, words);
    let bytes = 0;
    for (const word of words) bytes += word.length + ITEM_BYTES;
    this.#database.charge(words[grown] ?? "", bytes);
    return reply;
  }

  /** Runs a script by its TypeScript half. `args` is `["EVALSHA", sha, number of keys, ...keys, ...values]`. */
  runScript(script: Script, args: readonly Argument[]): Reply {
    const keyCount = Number(args[2]);
    const keys = args.slice(3, 3 + keyCount).map((key) => Buffer.from(key));
    return script.run((...words) => this.run(words), keys, args.slice(3 + keyCount));
  }

  /**
   * Runs commands with nothing between; one that fails stops none of the others.
   *
   * @returns a reply or the error of each
   */
  runAll(commands: readonly (() => Reply)[]): Reply[] {
    return commands.map((command) => {
      try {
        return command();
      } catch (error) {
        if (error instanceof ReplyError) return error;
        throw error;
      }
    });
  }

  /** Whether any of some keys changes, from now until it is disposed. */
  watch(keys: readonly Argument[]): Disposable & { readonly changed: boolean } {
    const watched = new Set(keys.map((key) => Buffer.from(key).toString("latin1")));
    // Looking at them lets those go that have expired already: that is no change.
    for (const key of watched) this.#database.has(key);
    let changed = false;
    const watch = this.#database.watch((key) => (changed ||= watched.has(key)));
    const look = (): boolean => {
      for (const key of watched) this.#database.has(key);
      return changed;
    };
    return {
      get changed() {
        return look();
      },
      [Symbol.dispose]: () => watch[Symbol.dispose](),
    };
  }

  clear(): void {
    this.#database.clear();
  }
}
