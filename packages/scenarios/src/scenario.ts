import type { Client, Code, ConnectError } from "@connectrpc/connect";
import type { Backend, Clock } from "@dropthrough/dispatch";
import type { EchoService } from "@dropthrough/dispatch/testing";
import type { GuestConfig, GuestExit, Host, Limits } from "@dropthrough/host";
import type { SeededScheduler } from "@dropthrough/host/testing";

/** What must happen when some guests meet, in whatever order. */
export interface Scenario {
  /** For the command line, such as `diamond`. */
  readonly name: string;
  /** A sentence that is true of it. */
  readonly claim: string;
  /** Who takes part. Modules are made once, and their order may depend on the seed. */
  readonly guests: (seed: number) => readonly GuestConfig[];
  readonly backends?: (clock: Clock) => readonly Backend[];
  readonly limits?: Partial<Limits>;
  /** It is long: it is played on every so many seeds, unless all are asked for. Default 1. */
  readonly every?: number;
  /** What the program that runs the host does, once all have started. */
  readonly act?: (play: Play) => Promise<void>;
  /** Looks at the outcome, when nothing happens any more. Throws if it is not as claimed. */
  readonly expect: (play: Play) => void;
}

/** A scenario that is being played. */
export interface Play {
  readonly seed: number;
  readonly schedule: SeededScheduler;
  readonly host: Host;
  /** Who was launched, in order: `a1`. */
  readonly launched: readonly string[];
  readonly exits: readonly GuestExit[];
  /** A client of the program itself, for a service with the contract of the echo service. */
  readonly client: (service: string) => Client<typeof EchoService>;
  /** How the calls of a method, `x.S/Echo` or one of the kernel's, were answered, in the order of the answers; 0 for OK. */
  readonly codes: (caller: string, method: string) => (Code | 0)[];
  /** What those that failed were told; empty for OK. */
  readonly messages: (caller: string, method: string) => string[];
  /** Waits until a call has failed; undefined if it does not. */
  readonly failure: (promise: Promise<unknown>) => Promise<ConnectError | undefined>;
}

/** Makes a value when it is first asked for, and keeps it: assembling modules takes longer than playing with them. */
export function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}
