import type { Clock, Health } from "@dropthrough/dispatch";
import type { Command, Connection, Reply } from "../connection.ts";
import { fromReply, ReplyError } from "../redis-error.ts";
import { Engine } from "./engine.ts";

/** The road to the engine inside this process: every command is answered at once. */
export class EmbeddedConnection implements Connection {
  readonly #engine: Engine;

  constructor(clock: Clock, maxBytes: number) {
    this.#engine = new Engine(clock, maxBytes);
  }

  ready(): void {}

  send({ args, script }: Command): Reply {
    try {
      return script === undefined ? this.#engine.run(args) : this.#engine.runScript(script, args);
    } catch (error) {
      if (error instanceof ReplyError) throw fromReply(error);
      throw error;
    }
  }

  health(): Health {
    return {
      ok: true,
      message: `embedded, ${this.#engine.size} keys, ${this.#engine.bytes} bytes`,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#engine.clear();
  }
}
