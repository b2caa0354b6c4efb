import { type Client, Code, ConnectError, createClient } from "@connectrpc/connect";
import type { Backend, CallRecord, Directory, Guest } from "@dropthrough/dispatch";
import { echo, type EchoService } from "@dropthrough/dispatch/testing";
import { createHost, type GuestConfig, type GuestExit, type Host } from "@dropthrough/host";
import { SeededScheduler } from "@dropthrough/host/testing";
import { kernel as makeKernel } from "@dropthrough/kernel";
import { Invariants } from "./invariants.ts";
import { probe, renamed } from "./probe.ts";
import type { Play, Scenario } from "./scenario.ts";

/** A call that is over. */
export interface Answered {
  /** Who made it, with its instance: `client1`. */
  readonly caller: string;
  /** `package.Service/Method`. */
  readonly name: string;
  /** 0 for OK. */
  readonly code: Code | 0;
  readonly message: string;
}

/**
 * A host on which one scenario is played once, in the order that a seed chooses, and all that can be seen of it from
 * outside.
 */
export class Stage implements Play {
  readonly seed: number;
  readonly schedule: SeededScheduler;
  readonly host: Host;
  readonly answered: Answered[] = [];
  readonly launched: string[] = [];
  readonly exits: GuestExit[] = [];
  /** What happened, one line each, for comparison with another run. */
  readonly trace: string[] = [];
  readonly #invariants = new Invariants();

  constructor(scenario: Scenario, seed: number, kernel: () => Backend = makeKernel) {
    this.seed = seed;
    this.schedule = new SeededScheduler(seed);
    const invariants = this.#invariants;
    const guests = scenario.guests(seed);
    // The watcher comes first: it sees each launch before the kernel makes the next one of it.
    const backends = [
      this.#watcher(),
      echo(),
      kernel(),
      ...(scenario.backends?.(this.schedule) ?? []),
    ];
    this.host = createHost({
      backends,
      guests: guests.map((guest) => granted(guest, guests)),
      clock: this.schedule,
      ...(scenario.limits && { limits: scenario.limits }),
      onExit: (exit) => {
        this.exits.push(exit);
        this.#say(`${exit.guest}${exit.instance} ends with ${exit.code}: ${exit.reason}`);
      },
      onIncident: ({ error }) => invariants.broken(`a bug of the host: ${String(error)}`),
      observers: [
        {
          started: (call) => invariants.started(call),
          ended: (call) => {
            invariants.ended(call);
            this.#ended(call);
          },
        },
      ],
    });
  }

  /** Plays it to its end. */
  async play(scenario: Scenario): Promise<void> {
    await this.schedule.run(this.host.start());
    await scenario.act?.(this);
    await this.schedule.drain();
    this.#invariants.check();
    scenario.expect(this);
    await this.schedule.run(this.host[Symbol.asyncDispose]());
    await this.schedule.drain();
    this.#invariants.checkEnd(this.schedule);
  }

  readonly client = (service: string): Client<typeof EchoService> =>
    createClient(renamed(service), this.host.transport);

  readonly codes = (caller: string, method: string): (Code | 0)[] =>
    this.#calls(caller, method).map((call) => call.code);

  readonly messages = (caller: string, method: string): string[] =>
    this.#calls(caller, method).map((call) => call.message);

  #calls(caller: string, method: string): Answered[] {
    return this.answered.filter(
      ({ caller: who, name }) =>
        who.startsWith(caller) && (name === method || name.endsWith(`KernelService/${method}`)),
    );
  }

  readonly failure = async (promise: Promise<unknown>): Promise<ConnectError | undefined> =>
    this.schedule.run(
      promise.then(
        () => undefined,
        (error: unknown) => ConnectError.from(error),
      ),
    );

  #ended(call: CallRecord): void {
    const caller = `${call.caller.name}${call.caller.instance}`;
    const message = call.error?.rawMessage ?? "";
    this.answered.push({ caller, name: call.name, code: call.code, message });
    const method = call.name.slice(call.name.lastIndexOf(".") + 1);
    this.#say(`${caller} ${method} ${call.code === 0 ? "OK" : Code[call.code]} ${message}`);
  }

  /** Sees guests as a backend does: who serves while it may not, and who is launched before its time. */
  #watcher(): Backend {
    const running = new Set<Guest>();
    return {
      ...probe((guest, state) => {
        this.#say(`${guest} serves`);
        if (state !== "running") this.#invariants.broken(`${guest} serves while it is ${state}`);
      }),
      attach: (directory: Directory) => {
        directory.watch(() => {
          for (const guest of directory.guests()) {
            if (guest.state !== "running" || running.has(guest)) continue;
            running.add(guest);
            this.launched.push(`${guest.name}${guest.instance}`);
            this.#say(`${guest.name}${guest.instance} runs`);
            this.#invariants.launched(guest, directory);
          }
        });
      },
    };
  }

  #say(line: string): void {
    this.trace.push(`${this.schedule.now()} ms ${line}`.trimEnd());
  }
}

/** Every guest may call the backends of the stage, and what any other one exports. */
function granted(guest: GuestConfig, guests: readonly GuestConfig[]): GuestConfig {
  const services = [
    "dropthrough.testing.v1.EchoService",
    "scenario.v1.ProbeService",
    ...new Set(guests.flatMap((other) => other.exports ?? [])),
  ];
  return { ...guest, grants: guest.grants ?? services.map((service) => `${service}/*`) };
}
