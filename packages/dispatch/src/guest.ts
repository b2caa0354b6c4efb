import type { HandlerContext } from "@connectrpc/connect";

/**
 * One running guest instance, as a backend sees the guest that calls it. A backend can act on the caller's own
 * guest and on no other: the kernel needs no more than this and a `Directory`.
 */
export interface Guest {
  /** The name that the operator gave the guest. */
  readonly name: string;
  /** From 1, unique for the life of the host. */
  readonly instance: number;
  /** The command line arguments that the operator gave it. */
  readonly arguments: readonly string[];
  /** The environment variables that the operator granted it, by name. */
  readonly environment: Readonly<Record<string, string>>;
  /** `starting` until `launch`, `exiting` once the operator has asked it to end, `exited` when it is gone. */
  readonly state: "starting" | "running" | "exiting" | "exited";
  /** How it ended, once it has. */
  readonly exitedWith: { readonly code: number; readonly reason: string } | undefined;
  /** Full names of the services that the operator lets it export. */
  readonly mayExport: readonly string[];
  /** Full names of the services that it has exported. */
  readonly exported: ReadonlySet<string>;
  /** Full names of the services that it has required. */
  readonly required: ReadonlySet<string>;
  /**
   * Makes it an owner of a service, with any other guest that exports it; it takes calls after `launch`.
   *
   * @throws ConnectError PERMISSION_DENIED if the operator did not allow it; ALREADY_EXISTS if a
   *   backend owns the service; FAILED_PRECONDITION if the guest was launched
   */
  export(service: string): void;
  /** Lets it bind methods of a service of another guest. */
  require(service: string): void;
  /** From now on its exports take calls. */
  launch(): void;
  /** Its launch has failed: unless it is launched after all, it cannot end as if all were well. */
  launchFailed(reason: string): void;
  /**
   * The next event of a guest that owns its control flow; from the first one on, its calls come this way.
   *
   * @param timeoutMs in milliseconds, 0 or above; undefined for no end
   * @param context of the call that is to be answered with it: once that is given up, the event is for the next one
   * @throws ConnectError FAILED_PRECONDITION while another one waits, or where calls come another way
   */
  receive(timeoutMs: number | undefined, context: HandlerContext): GuestEvent | Promise<GuestEvent>;
  /**
   * Calls it once before the operator ends it.
   *
   * @param encode makes the request of that call
   * @returns the method number that `dropthrough_v1_serve` is called with
   * @throws ConnectError FAILED_PRECONDITION if its module exports none; RESOURCE_EXHAUSTED if it has bound too much
   */
  atExit(encode: (exit: ExitEvent) => Uint8Array): number;
  /** Ends it: the import that it is in unwinds it. The code is clamped to 0-192. */
  exit(code: number, reason: string): void;
}

/** What a guest that owns its control flow is told. */
export type GuestEvent =
  | {
      readonly kind: "incoming";
      /** The call's number. */
      readonly call: number;
      /** The number that the guest bound the method to. */
      readonly method: number;
      /** Of the request, in bytes. */
      readonly length: number;
    }
  | { readonly kind: "finished"; readonly call: number }
  | ExitEvent
  | { readonly kind: "timeout" };

/** The operator wants a guest to end. */
export interface ExitEvent {
  readonly kind: "exit";
  readonly code: number;
  readonly reason: string;
  /** Milliseconds that are left. */
  readonly graceMs: number;
}

/** What a backend may ask about everybody. The host hands it to `Backend.attach`. */
export interface Directory {
  readonly clock: Clock;
  /** Every service of the registry, ordered by name. */
  services(): readonly ServiceInfo[];
  /** Every guest instance that has not exited. */
  guests(): readonly Guest[];
  /** Calls `changed` after any change of `services()` or `guests()`. Dispose it to stop. */
  watch(changed: () => void): Disposable;
}

/** One service of the registry. */
export interface ServiceInfo {
  /** Its full name, such as `words.v1.WordsService`. */
  readonly name: string;
  /** The name of the backend or guest that owns it; of the first one, where several guests do. */
  readonly owner: string;
  /** The names of all who own it: one backend, or any number of guests, in the order in which they came. */
  readonly owners: readonly string[];
  readonly kind: EntryKind;
  /** How many instances take calls now; a backend counts as one. */
  readonly running: number;
  /** The names of its methods, where a descriptor is known. */
  readonly methods: readonly string[];
}

/** What an entry of the registry is. A caller cannot tell. */
export type EntryKind = "backend" | "guest" | "link";

/** The one source of time, in milliseconds. Replaceable, so that tests can freeze it. */
export interface Clock {
  /** Milliseconds since an arbitrary start; never goes back. */
  now(): number;
  /** Milliseconds since 1970 by the wall clock. Left out: as if `now` had begun in 1970. */
  wall?(): number;
  /** Calls `run` once after `ms`. The function that it answers cancels that. */
  after(ms: number, run: () => void): () => void;
}
