import { ReplyError } from "../redis-error.ts";

/** The words of a command after those that must be there: flags, and flags with values. */
export class Options {
  readonly #words: readonly string[];
  #place: number;

  constructor(words: readonly string[], from: number) {
    this.#words = words;
    this.#place = from;
  }

  /** The next flag, in capitals; undefined at the end. */
  flag(): string | undefined {
    return this.#words[this.#place++]?.toUpperCase();
  }

  /** The value of the flag before. */
  value(): string {
    const value = this.#words[this.#place++];
    if (value === undefined) throw syntaxError();
    return value;
  }
}

/** What Redis says when it does not understand the rest of a command. */
export function syntaxError(): ReplyError {
  return new ReplyError("ERR syntax error");
}
