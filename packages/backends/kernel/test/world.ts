import { Code, ConnectError, createClient, type Client } from "@connectrpc/connect";
import {
  type Caller,
  createRegistry,
  createTransport,
  type Guest,
  type Registry,
  type ServiceInfo,
} from "@dropthrough/dispatch";
import { ManualClock } from "@dropthrough/dispatch/testing";
import { kernel, KernelService } from "../src/index.ts";

/** A guest without a module: what it may do is what a host allows, and nothing runs. */
export class WorldGuest implements Guest, Caller {
  readonly instance: number;
  readonly arguments = ["a", "b"];
  readonly serves: boolean;
  readonly exported = new Set<string>();
  readonly required = new Set<string>();
  state: Guest["state"] = "starting";
  exitedWith: [number, string] | undefined;
  readonly name: string;
  readonly mayExport: readonly string[];
  readonly #world: World;

  constructor(world: World, name: string, mayExport: readonly string[], instance: number) {
    this.#world = world;
    this.name = name;
    this.mayExport = mayExport;
    this.serves = mayExport.length > 0;
    this.instance = instance;
  }

  get guest(): Guest {
    return this;
  }
  get client(): Client<typeof KernelService> {
    return createClient(KernelService, createTransport(this.#world.registry.connect(this)));
  }
  defer(): void {}
  export(service: string): void {
    if (!this.mayExport.includes(service))
      throw new ConnectError("not allowed", Code.PermissionDenied);
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
  exit(code: number, reason: string): void {
    this.state = "exited";
    this.exitedWith = [code, reason];
    this.#world.guests.delete(this);
    this.#world.changed();
  }
  /** Registers, exports what it may, requires, and launches. */
  async start(...required: string[]): Promise<void> {
    await this.client.register({});
    await this.client.export({ services: [...this.exportsNow] });
    await this.client.require({ services: required });
    await this.client.launch({});
  }
  get exportsNow(): readonly string[] {
    return this.mayExport;
  }
}

/** A host's directory, and a kernel that knows nothing else. */
export class World {
  readonly clock = new ManualClock();
  readonly registry: Registry = createRegistry({ clock: this.clock });
  readonly guests = new Set<WorldGuest>();
  readonly launched: string[] = [];
  readonly #watchers = new Set<() => void>();

  constructor() {
    this.registry.use(kernel({ startupTimeoutMs: 1000 }));
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
    return guest;
  }

  services(): ServiceInfo[] {
    const names = new Set([...this.guests].flatMap((g) => [...g.exported]));
    const ofGuests = [...names].map((name): ServiceInfo => {
      const owners = [...this.guests].filter((g) => g.exported.has(name));
      const running = owners.filter((g) => g.state === "running").length;
      return { name, owner: owners[0]?.name ?? "", kind: "guest", running, methods: [] };
    });
    return [...this.registry.services(), ...ofGuests];
  }

  changed(): void {
    for (const watcher of this.#watchers) watcher();
  }
}
