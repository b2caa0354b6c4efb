import { Code, ConnectError, createClient, type Client } from "@connectrpc/connect";
import {
  type Caller,
  createRegistry,
  createTransport,
  type Guest,
  type GuestEvent,
  type Registry,
  type RegistryOptions,
  type ServiceInfo,
} from "@dropthrough/dispatch";
import { ManualClock } from "@dropthrough/dispatch/testing";
import { kernel, type KernelOptions, KernelService } from "../src/index.ts";

/** A guest without a module: what it may do is what a host allows, and nothing runs. */
export class WorldGuest implements Guest, Caller {
  readonly name: string;
  readonly instance: number;
  readonly mayExport: readonly string[];
  readonly arguments = ["a", "b"];
  readonly environment = { TZ: "UTC", EMPTY: "" };
  readonly exported = new Set<string>();
  readonly required = new Set<string>();
  readonly client: Client<typeof KernelService>;
  state: Guest["state"] = "starting";
  /** What Receive was called with, and what it is to answer. */
  readonly received: (number | undefined)[] = [];
  readonly events: (GuestEvent | Promise<GuestEvent>)[] = [];
  exitedWith: Guest["exitedWith"];
  /** Why its launch failed. */
  failure: string | undefined;
  /** What the call before its end would be made with. */
  lastCall: Uint8Array | undefined;
  readonly #world: World;

  constructor(world: World, name: string, mayExport: readonly string[], instance: number) {
    this.#world = world;
    this.name = name;
    this.mayExport = mayExport;
    this.instance = instance;
    this.client = createClient(KernelService, createTransport(world.registry.connect(this)));
  }

  get guest(): Guest {
    return this;
  }
  defer(): void {}
  export(service: string): void {
    if (!this.mayExport.includes(service))
      throw new ConnectError("not allowed", Code.PermissionDenied);
    const owner = this.#world.registry.services().find((s) => s.name === service)?.owner;
    if (owner !== undefined) throw new ConnectError(`${owner} owns it`, Code.AlreadyExists);
    this.exported.add(service);
    this.#world.changed();
  }
  require(service: string): void {
    this.required.add(service);
    this.#world.changed();
  }
  launch(): void {
    this.state = "running";
    this.#world.launched.push(`${this.name}${this.instance}`);
    this.#world.changed();
  }
  launchFailed(reason: string): void {
    this.failure = reason;
  }
  atExit(encode: Parameters<Guest["atExit"]>[0]): number {
    this.lastCall = encode({ kind: "exit", code: 5, reason: "why", graceMs: 6.5 });
    return 7;
  }
  receive(timeoutMs: number | undefined): GuestEvent | Promise<GuestEvent> {
    this.received.push(timeoutMs);
    return this.events.shift() ?? new Promise(() => {});
  }
  exit(code: number, reason: string): void {
    this.exitedWith = { code, reason };
    this.end();
  }
  /** It is gone, without a word: a trap. */
  end(): void {
    this.state = "exited";
    this.#world.guests.delete(this);
    this.#world.changed();
  }
  /** Registers, exports what it may, requires, and launches. */
  async start(...required: string[]): Promise<void> {
    await this.client.register({});
    await this.client.export({ services: [...this.mayExport] });
    await this.client.require({ services: required });
    await this.client.launch({});
  }
}

/** A host's directory, and a kernel that knows nothing else. */
export class World implements AsyncDisposable {
  readonly clock = new ManualClock();
  readonly registry: Registry;
  readonly guests = new Set<WorldGuest>();
  /** Who was launched, in order, as name and instance. */
  readonly launched: string[] = [];
  /** Services whose guest has crashed and is being started again: owner by service. */
  readonly restarting = new Map<string, string>();
  readonly #watchers = new Set<() => void>();

  constructor(options: KernelOptions = {}, onIncident?: RegistryOptions["onIncident"]) {
    this.registry = createRegistry({ clock: this.clock, ...(onIncident && { onIncident }) });
    this.registry.use(kernel({ startupTimeoutMs: 1000, ...options }));
    this.registry.attach({
      clock: this.clock,
      guests: () => [...this.guests],
      services: () => this.services(),
      watch: (changed) => {
        this.#watchers.add(changed);
        return { [Symbol.dispose]: () => void this.#watchers.delete(changed) };
      },
    });
  }

  guest(name: string, mayExport: readonly string[] = [], instance = 1): WorldGuest {
    const guest = new WorldGuest(this, name, mayExport, instance);
    this.guests.add(guest);
    this.changed();
    return guest;
  }

  services(): ServiceInfo[] {
    const found = new Map(
      [...this.restarting].map(([name, owner]) => [name, { owners: [owner], running: 0 }]),
    );
    for (const guest of this.guests) {
      for (const name of guest.exported) {
        const running = (found.get(name)?.running ?? 0) + (guest.state === "running" ? 1 : 0);
        const owners = new Set([...(found.get(name)?.owners ?? []), guest.name]);
        found.set(name, { owners: [...owners], running });
      }
    }
    const ofGuests = [...found].map(([name, info]): ServiceInfo => ({
      name,
      owner: info.owners[0] ?? "",
      ...info,
      kind: "guest",
      methods: [],
    }));
    return [...this.registry.services(), ...ofGuests];
  }

  changed(): void {
    for (const watcher of this.#watchers) watcher();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.registry[Symbol.asyncDispose]();
  }
}
