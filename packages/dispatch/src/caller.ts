import { Code, ConnectError, type ContextKey, type HandlerContext } from "@connectrpc/connect";
import { runAll } from "./failures.ts";
import type { Guest } from "./guest.ts";
import { isPromise } from "./interceptor.ts";

/** Who makes a call: one guest instance, or the program that runs the host. It cannot be forged by a guest. */
export interface Caller {
  /** The name that the operator gave the guest, such as `words.client`; `host` for the program itself. */
  readonly name: string;
  /** Which instance of the guest, from 1; 0 for the program itself. */
  readonly instance: number;
  /** What a backend may do to the guest that calls it; undefined for the program itself. */
  readonly guest: Guest | undefined;
  /**
   * Runs `close` when the caller has ended, the last one first. What a guest opened dies with it.
   * If the caller has ended already, it runs at once.
   */
  defer(close: () => void | Promise<void>): void;
}

/** Where a context has its caller at hand, so that its values, which cost something, need not be made. */
export const callerSymbol: unique symbol = Symbol.for("@dropthrough/caller");

/** The context value that carries the caller. The same for all copies of this package. */
export const callerKey: ContextKey<Caller | undefined> = {
  id: callerSymbol,
  defaultValue: undefined,
};

/**
 * Who makes the call that a handler is answering.
 *
 * @throws ConnectError FAILED_PRECONDITION if the handler was not called through a registry (but over HTTP, say)
 */
export function callerOf(context: HandlerContext): Caller {
  const { [callerSymbol]: known }: HandlerContext & { readonly [callerSymbol]?: Caller } = context;
  const caller = known ?? context.values.get(callerKey);
  if (caller === undefined) {
    throw new ConnectError(
      "this call did not come through a Dropthrough registry",
      Code.FailedPrecondition,
    );
  }
  return caller;
}

/**
 * One value for each caller: made when it is first asked for, disposed when the caller ends.
 * The place for handles and connections, which nobody but the caller may use.
 *
 * ```ts
 * const connections = perCaller(() => new Connections());
 * connections.of(context).open(request.name);
 * ```
 */
export interface PerCaller<T> {
  /** @throws ConnectError FAILED_PRECONDITION as `callerOf`; ABORTED if the caller has ended meanwhile */
  of(context: HandlerContext): T;
}

/**
 * @param make makes the value, which is no promise, but may hold one; it is disposed by `Symbol.asyncDispose` or `Symbol.dispose` if
 *   it has one
 */
export function perCaller<T extends object>(make: (caller: Caller) => T): PerCaller<T> {
  // Null once the caller has ended.
  const values = new WeakMap<Caller, T | null>();
  // Most calls come from whom the last one came from.
  let lastCaller: Caller | undefined;
  let lastValue: T | undefined;

  const open = (caller: Caller): T | null => {
    const made = make(caller);
    if (isPromise(made)) {
      throw new TypeError(
        "perCaller was given a promise, which it cannot dispose: make an object that holds the promise",
      );
    }
    values.set(caller, made);
    caller.defer(() => {
      values.set(caller, null);
      if (lastValue === made) lastCaller = lastValue = undefined;
      return dispose(made);
    });
    return values.get(caller) ?? null;
  };

  return {
    of(context) {
      const caller = callerOf(context);
      if (caller === lastCaller && lastValue !== undefined) return lastValue;
      const known = values.get(caller);
      const value = known === undefined ? open(caller) : known;
      if (value === null) throw new ConnectError(`${caller.name} has ended`, Code.Aborted);
      lastCaller = caller;
      return (lastValue = value);
    },
  };
}

async function dispose(value: Partial<AsyncDisposable & Disposable>): Promise<void> {
  if (value[Symbol.asyncDispose] !== undefined) await value[Symbol.asyncDispose]?.();
  else value[Symbol.dispose]?.();
}

/** A caller that is no guest, such as the program that runs the host. Dispose it to end it. */
export class LocalCaller implements Caller, AsyncDisposable {
  readonly name: string;
  readonly instance = 0;
  readonly guest = undefined;
  #closes: (() => void | Promise<void>)[] | undefined = [];

  constructor(name: string) {
    this.name = name;
  }

  defer(close: () => void | Promise<void>): void {
    if (this.#closes !== undefined) this.#closes.push(close);
    else runAll([close], "").catch((error) => this.#tell(error));
  }

  #tell(error: unknown): void {
    console.error(`what ${this.name} opened after its end:`, error);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closes = this.#closes ?? [];
    this.#closes = undefined;
    await runAll(closes.toReversed(), `several things that ${this.name} opened failed to close`);
  }
}
