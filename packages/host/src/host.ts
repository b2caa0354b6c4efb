import type { Transport } from "@connectrpc/connect";
import {
  type Backend,
  type CallObserver,
  type Clock,
  createRegistry,
  createTransport,
  type Directory,
  Grants,
  type Incident,
  type Interceptor,
  LocalCaller,
  type Registry,
  type RegistryOptions,
  type Scheduler,
} from "@dropthrough/dispatch";
import { ExportedService } from "./exported-service.ts";
import type { ExitOptions } from "./exit-options.ts";
import type { GuestConfig } from "./guest-config.ts";
import { GuestError, type GuestExit } from "./guest-exit.ts";
import type { GuestInstance } from "./guest-instance.ts";
import { GuestPool } from "./guest-pool.ts";
import { loadProgram } from "./guest-program.ts";
import type { HostCore } from "./host-core.ts";
import { DEFAULT_LIMITS, type Limits } from "./limits.ts";

/** A deployment: which backends, which guests, within which bounds. */
export interface HostOptions {
  /** What answers in the host. Every one owns the service that its contract names. */
  readonly backends?: readonly Backend[];
  readonly guests?: readonly GuestConfig[];
  /** Bounds for all guests; a guest's own `limits` come first. */
  readonly limits?: Partial<Limits>;
  /** Wrapped around every call, the first of them outermost. */
  readonly interceptors?: readonly Interceptor[];
  /** See every call, such as a trace. */
  readonly observers?: readonly CallObserver[];
  /** How messages are decoded and encoded. Default: compiled where that is allowed. */
  readonly codec?: RegistryOptions["codec"];
  /** The source of time; a scheduler is one of order too. Default the machine's. */
  readonly clock?: Clock | Scheduler;
  /** Hears of every guest instance that ends. Default: crashes go to `console.error`. */
  readonly onExit?: (exit: GuestExit) => void;
  /** Hears of every bug of the host. Default: `console.error`. */
  readonly onIncident?: (incident: Incident) => void;
}

/** A running deployment. Dispose it to end all guests and close all backends. */
export interface Host extends AsyncDisposable {
  readonly registry: Registry;
  /** For Connect's own `createClient`: calls of the program itself, which needs no grants. */
  readonly transport: Transport;
  /**
   * Loads and starts all guests.
   *
   * @returns when each reactor runs or has ended, and each command was started
   * @throws GuestError if one cannot be loaded; then none was started
   */
  start(): Promise<void>;
  /**
   * Asks a guest to exit, all its instances: calls that it answers may end within the grace period, then they are
   * ABORTED; new ones are UNAVAILABLE. A second request changes nothing.
   *
   * @returns how its instances ended, when all have; empty if none was left
   * @throws GuestError if there is no such guest
   */
  exit(guest: string, options?: ExitOptions): Promise<readonly GuestExit[]>;
  /**
   * Asks every guest to exit, those that others require last: calls in flight, and the calls made on their behalf, may
   * end within the grace period. The backends stay; dispose the host to close them.
   *
   * @returns how the instances ended, when all have
   */
  shutdown(options?: ExitOptions): Promise<readonly GuestExit[]>;
  /** Settles when the main guest has ended, or every guest has: how the main guest, or the last of them, ended. */
  readonly exited: Promise<GuestExit>;
}

/** Grants that every guest has. */
const COMMON_GRANTS = ["dropthrough.kernel.v1.KernelService/*"];

/**
 * Makes a host. Nothing runs before `start`.
 *
 * @throws GuestError if two guests have one name or a guest's grants are malformed; TypeError if two backends own one
 *   service
 */
export function createHost(options: HostOptions = {}): Host {
  return new WasmHost(options);
}

class WasmHost implements Host, HostCore {
  readonly registry: Registry;
  readonly transport: Transport;
  readonly exited: Promise<GuestExit>;
  closing = false;
  #shutdown = false;
  readonly #options: HostOptions;
  readonly #limits: Limits;
  readonly #grants = new Map<GuestConfig, Grants>();
  readonly #self = new LocalCaller("host");
  readonly #pools: GuestPool[] = [];
  readonly #watchers = new Set<() => void>();
  /** One for each name that guests may export. */
  readonly #services = new Map<string, ExportedService>();
  #main: GuestPool | undefined;
  #exit!: (exit: GuestExit) => void;

  constructor(options: HostOptions) {
    this.#options = options;
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    const { interceptors, codec, clock, onIncident } = options;
    this.registry = createRegistry({
      limits: this.#limits,
      ...(interceptors && { interceptors }),
      ...(codec && { codec }),
      ...(clock && { clock }),
      ...(onIncident && { onIncident }),
    });
    for (const observer of options.observers ?? []) this.registry.observe(observer);
    for (const backend of options.backends ?? []) this.registry.use(backend);
    this.transport = createTransport(this.registry.connect(this.#self));
    this.exited = new Promise((resolve) => (this.#exit = resolve));
    const names = new Set<string>();
    for (const guest of options.guests ?? []) {
      if (names.has(guest.name))
        throw new GuestError(`two guests are named "${guest.name}": rename one`);
      names.add(guest.name);
      try {
        this.#grants.set(guest, new Grants([...COMMON_GRANTS, ...(guest.grants ?? [])]));
      } catch (cause) {
        throw new GuestError(`guest "${guest.name}": ${(cause as Error).message}`, { cause });
      }
    }
  }

  async start(): Promise<void> {
    const guests = this.#options.guests ?? [];
    const pools = await Promise.all(
      guests.map(async (config) => {
        const limits = { ...this.#limits, ...config.limits };
        return new GuestPool(config, await loadProgram(config, limits), limits, this);
      }),
    );
    if (this.#shutdown || this.closing) return;
    this.#pools.push(...pools);
    this.#main = mainOf(pools);
    this.registry.attach(this.#directory());
    for (const pool of pools) pool.prepare();
    await Promise.all(pools.map(async (pool) => pool.start()));
    await this.#settled();
  }

  async exit(guest: string, options: ExitOptions = {}): Promise<readonly GuestExit[]> {
    const pools = this.#pools.filter((one) => one.name === guest);
    if (pools.length === 0)
      throw new GuestError(`no guest is named "${guest}", or it was not started`);
    return (
      await Promise.all(pools.map(async (pool) => pool.askExit(options, false, () => false)))
    ).flat();
  }

  async shutdown(options: ExitOptions = {}): Promise<readonly GuestExit[]> {
    this.#shutdown = true;
    const exits = this.#pools.map(async (pool) =>
      pool.askExit(options, true, (instance) => this.#isNeeded(instance)),
    );
    return (await Promise.all(exits)).flat();
  }

  /** Whether a guest that is still here requires what an instance exports. */
  #isNeeded(instance: GuestInstance): boolean {
    return this.#pools.some(
      (pool) =>
        pool.name !== instance.name &&
        [...pool.instances].some((other) =>
          [...other.required].some((service) => instance.exported.has(service)),
        ),
    );
  }

  /** Waits until no reactor is starting. A command may take its time: its start is its work. */
  async #settled(): Promise<void> {
    const reactors = this.#pools.filter((pool) => pool.program.shape.kind === "reactor");
    const starting = (): boolean =>
      reactors.some((pool) => pool.instances.some((instance) => instance.state === "starting"));
    if (!starting()) return;
    await new Promise<void>((resolve) => {
      const watch = this.#watch(() => {
        if (starting()) return;
        watch[Symbol.dispose]();
        resolve();
      });
    });
  }

  #directory(): Directory {
    return {
      clock: this.registry.clock,
      services: () => this.registry.services(),
      guests: () => this.#pools.flatMap((pool) => [...pool.instances]),
      watch: (changed) => this.#watch(changed),
    };
  }

  #watch(changed: () => void): Disposable {
    const registry = this.registry.watch(changed);
    this.#watchers.add(changed);
    return {
      [Symbol.dispose]: () => {
        this.#watchers.delete(changed);
        registry[Symbol.dispose]();
      },
    };
  }

  service(name: string): ExportedService {
    let service = this.#services.get(name);
    if (service === undefined)
      this.#services.set(name, (service = new ExportedService(name, this.registry)));
    return service;
  }

  connect(
    caller: Parameters<HostCore["connect"]>[0],
    config: GuestConfig,
  ): ReturnType<HostCore["connect"]> {
    return this.registry.connect(caller, this.#grants.get(config) ?? new Grants([]));
  }

  changed(): void {
    for (const pool of this.#pools) if (pool.exiting) for (const one of pool.instances) one.look();
    for (const watcher of this.#watchers) watcher();
  }

  left(pool: GuestPool, exit: GuestExit): void {
    if (this.#options.onExit) this.#options.onExit(exit);
    else if (exit.code > 192)
      console.error(
        `guest ${exit.guest} (instance ${exit.instance}) ended with ${exit.code}: ${exit.reason}`,
      );
    const all = this.#main === undefined && this.#pools.every((one) => one.ended);
    if (all || (pool === this.#main && pool.ended)) this.#exit(exit);
  }

  incident(error: unknown): string {
    return this.registry.incident(error);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.closing) return;
    this.closing = true;
    await Promise.all(this.#pools.map((pool) => pool.close("the host is closing")));
    await this.#self[Symbol.asyncDispose]();
    await this.registry[Symbol.asyncDispose]();
  }
}

/** The guest whose exit code is the host's. */
function mainOf(pools: readonly GuestPool[]): GuestPool | undefined {
  const chosen = pools.filter((pool) => pool.config.main === true);
  if (chosen.length > 1) {
    throw new GuestError(
      `${chosen.map((p) => `"${p.name}"`).join(" and ")} are both main: keep one`,
    );
  }
  const commands = pools.filter((pool) => pool.program.shape.kind === "command");
  return chosen[0] ?? (commands.length === 1 ? commands[0] : undefined);
}
