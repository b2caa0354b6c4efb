import type { CommandToWrite } from "@redis/client/dist/lib/client/commands-queue.js";
import type { Command, Reply } from "../connection.ts";
import type { Asked } from "./asked.ts";
import { typesOf } from "./client.ts";

/** A command as the library's queue keeps it. */
export class SentCommand implements CommandToWrite {
  // The queue lets go of these when the command is written.
  args: CommandToWrite["args"];
  chainId: undefined;
  abort: CommandToWrite["abort"];
  timeout: undefined;
  readonly channelsCounter: undefined;
  readonly typeMapping: CommandToWrite["typeMapping"];
  rejected = false;
  readonly #asked: Asked;

  /** @param signal takes it back, as long as it is not written */
  constructor(command: Command, asked: Asked, signal: AbortSignal | undefined) {
    this.args = command.args;
    // The queue puts a listener of its own in the place of this one.
    this.abort = signal === undefined ? undefined : { signal, listener: () => {} };
    this.chainId = this.timeout = this.channelsCounter = undefined;
    this.typeMapping = typesOf(command);
    this.#asked = asked;
  }

  resolve(reply: Reply): void {
    this.#asked.answered(reply);
  }

  reject(error: unknown): void {
    this.#asked.failed(error);
  }
}
