import type { ExitEvent, Scheduler } from "@dropthrough/dispatch";
import type { GuestCode } from "./guest-code.ts";
import { cannotSayGoodbye } from "./guest-errors.ts";

/** What an instance is told of its own clean-up. */
export interface HookListener {
  /** The guest is entered. */
  readonly begins: () => void;
  /** It has returned. */
  readonly returned: () => void;
  /** It is done, and may be ended. */
  readonly done: () => void;
}

/** The call that a guest asked for before its end: `AtExit` of the kernel. */
export class ExitHook {
  readonly #name: string;
  readonly #code: GuestCode;
  readonly #clock: Scheduler;
  readonly #eventLoop: boolean;
  #call: { readonly method: number; readonly encode: (exit: ExitEvent) => Uint8Array } | undefined;

  constructor(name: string, code: GuestCode, clock: Scheduler, eventLoop: boolean) {
    this.#name = name;
    this.#code = code;
    this.#clock = clock;
    this.#eventLoop = eventLoop;
  }

  /** `Guest.atExit` */
  set(encode: (exit: ExitEvent) => Uint8Array): number {
    const { endpoint, serve } = this.#code;
    if (endpoint === undefined || serve === undefined) throw cannotSayGoodbye(this.#name);
    const method = endpoint.reserve("AtExit");
    this.#call = { method, encode };
    return method;
  }

  /** Makes the call; false if the guest asked for none, or cannot be called. */
  run(event: ExitEvent, listener: HookListener): boolean {
    const { endpoint, serve, stack } = this.#code;
    if (endpoint === undefined || serve === undefined || this.#call === undefined) return false;
    const { method, encode } = this.#call;
    const body = encode(event);
    let number;
    try {
      // A guest with an event loop is done when it has replied, any other when it has returned.
      const replied = (): void => void (this.#eventLoop && this.#clock.soon(listener.done));
      ({ number } = endpoint.accept(body, replied));
    } catch {
      // It holds as many calls as it may: there is no place for one more, so it is ended without.
      return false;
    }
    listener.begins();
    const returned = (): void => {
      listener.returned();
      if (!this.#eventLoop) listener.done();
    };
    const suspended = stack.run(serve, number, method, body.length);
    if (suspended === undefined) returned();
    else if (suspended !== null) stack.after(suspended, returned);
    return true;
  }
}
