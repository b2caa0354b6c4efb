import type { Transport } from "@connectrpc/connect";
import {
  createRegistry,
  createTransport,
  type Directory,
  Grants,
  LocalCaller,
  printable,
  type Registry,
} from "@dropthrough/dispatch";
import { ExportedService } from "./exported-service.ts";
import type { ExitOptions } from "./exit-options.ts";
import { checkInstances, type GuestConfig } from "./guest-config.ts";
import { GuestError, type GuestExit } from "./guest-exit.ts";
import type { GuestInstance } from "./guest-instance.ts";
import { GuestPool } from "./guest-pool.ts";
import { loadProgram } from "./guest-program.ts";
import type { HostCore } from "./host-core.ts";
import { checkHostOptions, type HostOptions } from "./host-options.ts";
import { checkLimits, DEFAULT_LIMITS, type Limits, limitsOf } from "./limits.ts";
import { checkStandIn, configOf, type GuestChange, launched } from "./replacement.ts";

/** A running deployment. Dispose it to end all guests and close all backends. */
export interface Host extends AsyncDisposable {
  readonly registry: Registry;
  /** For Connect's own `createClient`: calls of the program itself, which needs no grants. */
  readonly transport: Transport;
  /**
   * Loads and starts all guests.
   *
   * @returns when each reactor runs or has ended, and each command was started
   * @throws GuestError if one cannot be loaded, or two are the main one; then none was started. Or if it was started already
   */
  start(): Promise<void>;
  /**
   * Asks a guest to exit, all its instances: calls that it answers may end within the grace period, then they are
   * ABORTED; new ones are UNAVAILABLE. A second request changes nothing, but for an
   * old version that still drains: it has no longer than the request gives it.
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
  /**
   * Replaces a guest that serves by a new version, with nothing lost: the new one starts beside the old one; once all of its
   * instances run it takes the new calls, and the old one ends when its own are done. Those that are left after
   * `limits.drainMs` are ABORTED.
   *
   * @param change the new module, or what else of its configuration is new
   * @returns when the old version has ended
   * @throws GuestError, with the old version as it was, if there is no such guest, it is being replaced already or is a
   *   command; or if the new version cannot be loaded, does not launch, or leaves out what others require. TypeError if a
   *   limit of it is no number
   */
  replace(guest: string, change: GuestChange): Promise<void>;
  /**
   * Settles when the main guest has ended, or every guest has: how the main guest, or the last of them, ended. A host that
   * is disposed before a guest was started ends itself: `guest` is `host`, and `instance` 0.
   */
  readonly exited: Promise<GuestExit>;
}

/** Grants that every guest has. */
const COMMON_GRANTS = ["dropthrough.kernel.v1.KernelService/*"];

/**
 * Makes a host. Nothing runs before `start`. The host closes the backends when it is disposed; if none is made, they stay
 * with the caller, as they were.
 *
 * @throws GuestError if two guests have one name, a guest's grants are malformed, its `instances` are no whole number
 *   above 0, or there are more than a process holds; TypeError if two backends own one service, or an option has not the shape of one
 */
export function createHost(options: HostOptions = {}): Host {
  return new WasmHost(options);
}

class WasmHost implements Host, HostCore {
  readonly registry: Registry;
  readonly transport: Transport;
  readonly exited: Promise<GuestExit>;
  closing = false;
  #started = false;
  #shutdown = false;
  #closed: Promise<void> | undefined;
  readonly #options: HostOptions;
  readonly #limits: Limits;
  readonly #grants = new Map<GuestConfig, Grants>();
  readonly #self = new LocalCaller("host");
  readonly #pools: GuestPool[] = [];
  readonly #watchers = new Set<() => void>();
  /** One for each name that guests may export. */
  readonly #services = new Map<string, ExportedService>();
  /** The names of guests whose new version has not taken over yet. */
  readonly #replacing = new Set<string>();
  #main: GuestPool | undefined;
  #looking = false;
  /** Something has changed since they began to look. */
  #unseen = false;
  #exit!: (exit: GuestExit) => void;

  constructor(options: HostOptions) {
    checkHostOptions(options);
    this.#options = options;
    this.#limits = limitsOf(DEFAULT_LIMITS, options.limits);
    const { interceptors, codec, clock, onIncident } = options;
    const { defaultTimeoutMs, depth, guestFields } = this.#limits;
    this.registry = createRegistry({
      limits: { defaultTimeoutMs, depth, guestFields },
      ...(interceptors && { interceptors }),
      ...(codec && { codec }),
      ...(clock && { clock }),
      ...(onIncident && { onIncident }),
    });
    for (const observer of options.observers ?? []) this.registry.observe(observer);
    for (const backend of options.backends ?? []) this.registry.use(backend);
    this.transport = createTransport(this.registry.connect(this.#self));
    this.exited = new Promise((resolve) => (this.#exit = resolve));
    for (const guest of options.guests ?? []) this.#grant(guest);
  }

  async start(): Promise<void> {
    if (this.#started) throw new GuestError("the host was started already: make another one");
    this.#started = true;
    const guests = this.#options.guests ?? [];
    const pools = await Promise.all(
      guests.map(async (config) => {
        const limits = limitsOf(this.#limits, config.limits);
        return new GuestPool(config, await loadProgram(config, limits), limits, this);
      }),
    );
    if (this.#shutdown || this.closing) return;
    this.#main = mainOf(pools);
    this.registry.attach(this.#directory());
    this.#pools.push(...pools);
    for (const pool of pools) pool.prepare();
    await Promise.all(pools.map(async (pool) => pool.start()));
    await this.#settled();
  }

  async exit(guest: string, options: ExitOptions = {}): Promise<readonly GuestExit[]> {
    const pools = this.#pools.filter((one) => one.name === guest);
    if (pools.length === 0)
      throw new GuestError(`no guest is named "${guest}", or it was not started`);
    return (await Promise.all(pools.map(async (pool) => pool.askExit(options)))).flat();
  }

  async shutdown(options: ExitOptions = {}): Promise<readonly GuestExit[]> {
    this.#shutdown = true;
    const exits = this.#pools.map(async (pool) =>
      pool.askExit(options, true, (instance) => this.#isNeeded(instance)),
    );
    return (await Promise.all(exits)).flat();
  }

  async replace(guest: string, change: GuestChange): Promise<void> {
    const old = this.#pools.find((pool) => pool.name === guest && !pool.exiting && !pool.ended);
    if (old === undefined) throw new GuestError(`no guest is named "${guest}", or it does not run`);
    if (this.#replacing.has(guest))
      throw new GuestError(`"${guest}" is being replaced already: wait for that`);
    this.#replacing.add(guest);
    try {
      await this.#replace(old, configOf(old.config, change));
    } finally {
      this.#replacing.delete(guest);
    }
  }

  async #replace(old: GuestPool, config: GuestConfig): Promise<void> {
    checkLimits(config.limits, `guest "${config.name}": `);
    const limits = limitsOf(this.#limits, config.limits);
    const program = await loadProgram(config, limits);
    for (const { shape } of [old.program, program]) {
      if (shape.kind === "command")
        throw new GuestError(`"${old.name}" was not replaced: a command ends by itself`);
    }
    if (this.#shutdown || this.closing)
      throw new GuestError(`"${old.name}" was not replaced: the host ends`);
    checkInstances([...this.#pools.map((pool) => pool.config), config]);
    this.#grant(config);
    const next = new GuestPool(config, program, limits, this, old.numbers);
    next.hold();
    this.#pools.push(next);
    try {
      next.prepare();
      await next.start();
      await launched(next, (look) => this.#watch(look));
      checkStandIn(
        old,
        next,
        this.#pools.filter((pool) => pool !== old && pool !== next),
      );
    } catch (error) {
      await next.askExit({ reason: "it cannot take the place of the old version", graceMs: 0 });
      this.#forget(next);
      throw error;
    }
    next.release();
    if (this.#main === old) this.#main = next;
    const reason = "a new version has taken its place";
    const ended = old.askExit({ reason, graceMs: limits.drainMs });
    old.replaced = true;
    await ended;
    this.#forget(old);
  }

  #forget(pool: GuestPool): void {
    this.#pools.splice(this.#pools.indexOf(pool), 1);
    this.#grants.delete(pool.config);
  }

  #grant(guest: GuestConfig): void {
    try {
      this.#grants.set(guest, new Grants([...COMMON_GRANTS, ...(guest.grants ?? [])]));
    } catch (cause) {
      throw new GuestError(`guest "${guest.name}": ${(cause as Error).message}`, { cause });
    }
  }

  /** Whether a guest that is still here requires what an instance exports. */
  #isNeeded(instance: GuestInstance): boolean {
    return this.#pools.some(
      (pool) =>
        pool.name !== instance.name &&
        pool.instances.some((other) =>
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
      guests: () => this.#pools.flatMap((pool) => pool.instances),
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
    this.#lookAround();
    for (const watcher of this.#watchers) watcher();
  }

  /** Those that were asked to exit look whether they may. Each that ends is a change: they look again after it, not within it. */
  #lookAround(): void {
    this.#unseen = true;
    if (this.#looking) return;
    this.#looking = true;
    try {
      while (this.#unseen) {
        this.#unseen = false;
        const exiting = this.#pools.filter((pool) => pool.exiting);
        for (const one of exiting.flatMap((pool) => pool.instances)) one.look();
      }
    } finally {
      this.#looking = false;
    }
  }

  left(pool: GuestPool, exit: GuestExit): void {
    void this.#tell(exit).catch((error: unknown) => this.incident(error));
    this.over(pool, exit);
  }

  /** Asynchronous, since `onExit` may be, whatever its type says. */
  async #tell(exit: GuestExit): Promise<void> {
    if (this.#options.onExit) await (this.#options.onExit(exit) as unknown);
    else if (exit.code > 192)
      console.error(
        printable(
          `guest ${exit.guest} (instance ${exit.instance}) ended with ${exit.code}: ${exit.reason}`,
        ),
      );
  }

  over(pool: GuestPool, exit: GuestExit): void {
    const all = this.#main === undefined && this.#pools.every((one) => one.ended);
    if (all || (pool === this.#main && pool.ended)) this.#exit(exit);
  }

  incident(error: unknown): string {
    return this.registry.incident(error);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.closing = true;
    return (this.#closed ??= this.#close());
  }

  async #close(): Promise<void> {
    const reason = "the host is closing";
    await Promise.all(this.#pools.map(async (pool) => pool.close(reason)));
    // No guest of it was there: it was disposed before they were loaded, or it had none.
    if (this.#pools.length === 0) this.#exit({ guest: "host", instance: 0, code: 0, reason });
    try {
      await this.#self[Symbol.asyncDispose]();
    } finally {
      await this.registry[Symbol.asyncDispose]();
    }
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
