import type { CodecOptions } from "@dropthrough/codec";
import type { Backend } from "./backend.ts";
import { checkBounds } from "./key-check.ts";
import type { Call, CallObserver } from "./call.ts";
import type { Caller } from "./caller.ts";
import { checkEntry, type Entry, serviceDesc, serviceName } from "./entry.ts";
import { runAll } from "./failures.ts";
import { type Grants, splitMethodName } from "./grants.ts";
import type { Clock, Directory, ServiceInfo } from "./guest.ts";
import { type BackendHealth, type Examined, healthOf } from "./health.ts";
import { type Interceptor, isPromise } from "./interceptor.ts";
import { DEFAULT_DISPATCH_LIMITS, type DispatchLimits } from "./limits.ts";
import { type Method, methodOf } from "./method.ts";
import { checkObserver, checkOptions } from "./option-check.ts";
import { type Scheduler, schedulerOn, systemScheduler } from "./scheduler.ts";
import { Session, type SessionCore } from "./session.ts";

/** What a registry can be told. */
export interface RegistryOptions {
  /** Wrapped around every call, the first of them outermost. Default none. */
  readonly interceptors?: readonly Interceptor[];
  readonly limits?: Partial<DispatchLimits>;
  /** How messages are decoded and encoded. Default: compiled where that is allowed. */
  readonly codec?: CodecOptions;
  /** The source of time; a scheduler is one of order too. Default the machine's. */
  readonly clock?: Clock | Scheduler;
  /** Hears of every bug of the host: an error that was no ConnectError. Default, and where it fails itself: `console.error`. */
  readonly onIncident?: (incident: Incident) => void;
}

/** A bug of the host. The caller got INTERNAL and the id; the operator gets the rest. */
export interface Incident {
  /** Such as `incident-7f3a9c21`. */
  readonly id: string;
  readonly error: unknown;
  /** The call that it happened in; undefined where there was none. */
  readonly call: Call | undefined;
}

/** Where every call is routed. A value: make as many as you like. */
export interface Registry extends AsyncDisposable {
  readonly clock: Scheduler;
  readonly limits: DispatchLimits;
  /**
   * Plugs in a backend, a guest or a link. The only verb that changes a registry; what it answers takes the
   * entry out again, without disposing it.
   *
   * @throws TypeError if it is no entry, is of another version, its service has an owner already, or the registry was disposed;
   *   what its `attach` throws
   */
  use(entry: Entry): Disposable;
  /** Every service, ordered by name. */
  services(): ServiceInfo[];
  /**
   * Asks every backend that can say how it is, all at once; ordered by the names of their services.
   *
   * @param timeoutMs milliseconds that each may take, default 2,000: one that takes longer, or fails, is not ok
   */
  health(timeoutMs?: number): Promise<BackendHealth[]>;
  /** Finds `package.Service/Method`. */
  find(name: string): Method | undefined;
  /** Opens the calls of one caller. Without grants it may reach everything. */
  connect(caller: Caller, grants?: Grants): Session;
  /**
   * Shows every call to an observer until that is disposed. With none it costs nothing.
   *
   * @throws TypeError if it observes nothing
   */
  observe(observer: CallObserver): Disposable;
  /** Calls `changed` whenever an entry was plugged in or taken out, until that is disposed. */
  watch(changed: () => void): Disposable;
  /**
   * Hands a directory to every backend that asks for one, now and later. Called by the host, once.
   *
   * @throws TypeError if it was called before; what an `attach` throws
   */
  attach(directory: Directory): void;
  /** Reports a bug of the host; answers its incident id. */
  incident(error: unknown, call?: Call): string;
}

/**
 * Makes an empty registry.
 *
 * @throws TypeError if an interceptor, a limit, the codec or the clock has not the shape of one
 */
export function createRegistry(options: RegistryOptions = {}): Registry {
  checkOptions(options);
  return new DispatchRegistry(options);
}

/** How long a backend may take to say how it is. */
const HEALTH_TIMEOUT_MS = 2_000;

function print({ id, error, call }: Incident): void {
  console.error(`${id} in ${call?.name ?? "the host"}:`, error);
}

class DispatchRegistry implements Registry, SessionCore {
  readonly clock: Scheduler;
  readonly limits: DispatchLimits;
  readonly interceptors: readonly Interceptor[];
  readonly codec: CodecOptions;
  readonly observers = new Set<CallObserver>();
  readonly #onIncident: (incident: Incident) => unknown;
  readonly #entries = new Map<string, Entry>();
  readonly #methods = new Map<string, Method>();
  readonly #watchers = new Set<() => void>();
  #directory: Directory | undefined;
  #lastId = 0;
  #disposed = false;

  constructor(options: RegistryOptions) {
    this.clock = options.clock === undefined ? systemScheduler : schedulerOn(options.clock);
    this.limits = checkBounds(DEFAULT_DISPATCH_LIMITS, options.limits ?? {}, "limits: ");
    this.interceptors = options.interceptors ?? [];
    this.codec = options.codec ?? {};
    this.#onIncident = options.onIncident ?? print;
  }

  use(entry: Entry): Disposable {
    checkEntry(entry);
    if (this.#disposed) throw new TypeError("the registry was disposed: make another one");
    const service = serviceName(entry);
    const owner = this.#entries.get(service);
    if (owner === entry) throw new TypeError(`"${entry.name}" is plugged in already`);
    if (owner !== undefined) {
      throw new TypeError(
        `${service} has two owners, "${owner.name}" and "${entry.name}": plug in one of them`,
      );
    }
    this.#entries.set(service, entry);
    try {
      if (this.#directory !== undefined) (entry as Partial<Backend>).attach?.(this.#directory);
    } catch (error) {
      this.#entries.delete(service);
      throw error;
    }
    this.#changed();
    return {
      [Symbol.dispose]: () => {
        if (this.#entries.get(service) !== entry) return;
        this.#entries.delete(service);
        for (const [name, method] of this.#methods)
          if (method.entry === entry) this.#methods.delete(name);
        this.#changed();
      },
    };
  }

  services(): ServiceInfo[] {
    const infos = [...this.#entries.values()].map((entry) => {
      const owners = entry.kind === "backend" ? [entry.name] : (entry.owners?.() ?? [entry.name]);
      return {
        name: serviceName(entry),
        owner: owners[0] ?? entry.name,
        owners,
        kind: entry.kind,
        running: entry.kind === "backend" ? 1 : entry.running(),
        methods: serviceDesc(entry)?.methods.map((m) => m.name) ?? [],
      };
    });
    return infos.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  async health(timeoutMs: number = HEALTH_TIMEOUT_MS): Promise<BackendHealth[]> {
    const backends = [...this.#entries.values()].filter(
      (entry): entry is Examined => entry.kind === "backend" && entry.health !== undefined,
    );
    const all = await Promise.all(
      backends.map(async (backend) => healthOf(backend, timeoutMs, this.clock)),
    );
    return all.toSorted((a, b) => (a.service < b.service ? -1 : 1));
  }

  find(name: string): Method | undefined {
    const known = this.#methods.get(name);
    if (known !== undefined) return known;
    const parts = splitMethodName(name);
    const entry = parts && this.#entries.get(parts.service);
    const method = entry && methodOf(entry, parts.method);
    // Only what a descriptor lists is kept, so that no caller can fill this map with names that it makes up.
    if (method?.desc !== undefined) this.#methods.set(name, method);
    return method;
  }

  connect(caller: Caller, grants?: Grants): Session {
    return new Session(this, caller, grants);
  }

  observe(observer: CallObserver): Disposable {
    checkObserver(observer, "observer");
    this.observers.add(observer);
    return { [Symbol.dispose]: () => void this.observers.delete(observer) };
  }

  watch(changed: () => void): Disposable {
    this.#watchers.add(changed);
    return { [Symbol.dispose]: () => void this.#watchers.delete(changed) };
  }

  attach(directory: Directory): void {
    if (this.#directory !== undefined)
      throw new TypeError("the registry belongs to a host already: make another one");
    this.#directory = directory;
    for (const entry of this.#entries.values()) (entry as Partial<Backend>).attach?.(directory);
  }

  incident(error: unknown, call?: Call): string {
    const id = `incident-${Math.floor(Math.random() * 2 ** 32)
      .toString(16)
      .padStart(8, "0")}`;
    this.#report({ id, error, call });
    return id;
  }

  #report(incident: Incident): void {
    const failed = (cause: unknown): void => {
      print(incident);
      console.error(`onIncident failed for ${incident.id}:`, cause);
    };
    try {
      const heard = this.#onIncident(incident);
      if (isPromise(heard)) heard.then(undefined, failed);
    } catch (cause) {
      failed(cause);
    }
  }

  nextId(): number {
    return ++this.#lastId;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    const entries = [...this.#entries.values()].toReversed();
    this.#entries.clear();
    this.#methods.clear();
    await runAll(
      entries.map((entry) => async () => entry[Symbol.asyncDispose]?.()),
      "several backends failed to close",
    );
  }

  #changed(): void {
    for (const watcher of this.#watchers) watcher();
  }
}
