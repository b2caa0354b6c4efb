import type { ContextKey, ContextValues } from "@connectrpc/connect";
import { type Caller, callerSymbol } from "./caller.ts";

/** The values that a program sends along. The caller is the call's own, whoever sends the same values. */
export class SentValues implements ContextValues {
  readonly #values: ContextValues;
  readonly #caller: Caller;

  constructor(values: ContextValues, caller: Caller) {
    this.#values = values;
    this.#caller = caller;
  }

  get<T>(key: ContextKey<T>): T {
    return key.id === callerSymbol ? (this.#caller as T) : this.#values.get(key);
  }

  set<T>(key: ContextKey<T>, value: T): this {
    if (key.id !== callerSymbol) this.#values.set(key, value);
    return this;
  }

  delete(key: ContextKey<unknown>): this {
    if (key.id !== callerSymbol) this.#values.delete(key);
    return this;
  }
}
