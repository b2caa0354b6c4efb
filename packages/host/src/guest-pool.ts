import type { Caller, Scheduler, Session } from "@dropthrough/dispatch";
import type { ExitOptions } from "./exit-options.ts";
import type { ExportedService } from "./exported-service.ts";
import type { GuestConfig } from "./guest-config.ts";
import type { GuestExit } from "./guest-exit.ts";
import { EXIT_PANIC, EXIT_TRAP } from "./guest-exit.ts";
import { GuestInstance } from "./guest-instance.ts";
import type { GuestProgram } from "./guest-program.ts";
import type { HostCore } from "./host-core.ts";
import type { Limits } from "./limits.ts";

/** All instances of one guest: who is there, what they serve, and what happens when one dies. */
export class GuestPool {
  readonly config: GuestConfig;
  readonly program: GuestProgram;
  readonly limits: Limits;
  /** The number of the guest's last instance, of all its versions together: none has that of another. */
  readonly numbers: { last: number };
  readonly #core: HostCore;
  // Lists, since every call goes through them.
  readonly #instances: GuestInstance[] = [];
  readonly #services: ExportedService[] = [];
  readonly #restarts: number[] = [];
  /** Instances that are about to take the place of one that crashed. */
  #starting = 0;
  #holding = false;
  /** It was asked to exit: nothing of it is started any more. */
  #exiting = false;
  /** A new version has taken its place, for which it was asked to exit. */
  replaced = false;
  #lastWords = "exited";

  /** @param numbers those of an older version, if it is to take the place of one */
  constructor(
    config: GuestConfig,
    program: GuestProgram,
    limits: Limits,
    core: HostCore,
    numbers = { last: 0 },
  ) {
    this.config = config;
    this.program = program;
    this.limits = limits;
    this.#core = core;
    this.numbers = numbers;
  }

  get name(): string {
    return this.config.name;
  }

  get clock(): Scheduler {
    return this.#core.registry.clock;
  }

  /** Every instance that has not exited. */
  get instances(): readonly GuestInstance[] {
    return this.#instances;
  }

  /** It runs in the place of nobody yet: it takes no calls before `release`. */
  get holding(): boolean {
    return this.#holding;
  }

  /** It takes no calls until it is released. */
  hold(): void {
    this.#holding = true;
  }

  /** From now on it takes calls. */
  release(): void {
    this.#holding = false;
    this.changed();
    for (const instance of this.#instances) this.freed(instance);
  }

  /** How its last instance that ended did. */
  get lastWords(): string {
    return this.#lastWords;
  }

  /** It was asked to exit. */
  get exiting(): boolean {
    return this.#exiting;
  }

  /** No instance is left, and none will come. */
  get ended(): boolean {
    return this.#instances.length === 0 && this.#starting === 0;
  }

  connect(caller: Caller): Session {
    return this.#core.connect(caller, this.config);
  }

  incident(error: unknown): string {
    return this.#core.incident(error);
  }

  changed(): void {
    this.#core.changed();
  }

  /** Makes its instances known, so that nobody who starts before them takes them for missing. */
  prepare(): void {
    for (let i = 0; i < (this.config.instances ?? 1); i++) this.#make();
    this.changed();
  }

  /** Starts its instances, each in its turn; settles when all were. */
  async start(): Promise<void> {
    const starts = [...this.#instances].map(
      async (instance) =>
        new Promise<void>((resolve) =>
          this.clock.soon(() => {
            instance.start();
            resolve();
          }),
        ),
    );
    await Promise.all(starts);
  }

  #make(): GuestInstance {
    const instance = new GuestInstance(this, ++this.numbers.last);
    this.#instances.push(instance);
    return instance;
  }

  /**
   * Lets this guest export a service, with whoever else does; its second instance joins the first.
   *
   * @throws ConnectError ALREADY_EXISTS if a backend or a link owns it
   */
  own(name: string): void {
    const service = this.#core.service(name);
    service.join(this);
    if (!this.#services.includes(service)) this.#services.push(service);
  }

  /** An instance may be free: soon, the longest waiting call that it can serve is next. */
  freed(instance: GuestInstance): void {
    for (const service of this.#services)
      if (service.next !== undefined) return this.clock.soon(() => this.drain(instance));
  }

  /** As long as an instance is free, it takes the longest waiting call that it can serve. */
  drain(instance: GuestInstance): void {
    while (instance.idle) {
      let first: ExportedService | undefined;
      for (const service of this.#services) {
        if (service.next === undefined || !instance.exported.has(service.service)) continue;
        if (service.next.number < (first?.next?.number ?? Infinity)) first = service;
      }
      if (first === undefined) return;
      first.take(instance);
    }
  }

  /** An instance has begun to wait: calls that wait for that very instance are told so. */
  blocked(): void {
    for (const service of this.#services) service.blocked();
  }

  /** An instance has ended. One that crashed is started again, within the budget. */
  exited(instance: GuestInstance, code: number): void {
    const at = this.#instances.indexOf(instance);
    if (at >= 0) this.#instances.splice(at, 1);
    const { reason = "" } = instance.exitedWith ?? {};
    this.#lastWords = `exited with code ${code}${reason === "" ? "" : ` (${reason})`}`;
    const crashed = code === EXIT_TRAP || code === EXIT_PANIC;
    const again =
      crashed &&
      this.program.shape.kind === "reactor" &&
      instance.exported.size > 0 &&
      this.#mayRestart();
    this.clock.settled(
      instance.ended,
      (exit) => this.#core.left(this, exit),
      () => {},
    );
    if (again) {
      this.#starting++;
      this.clock.soon(() => {
        this.#starting--;
        if (!this.#core.closing && !this.#exiting) {
          const next = this.#make();
          this.changed();
          next.start();
        } else if (this.ended) {
          this.#retire();
          this.clock.settled(
            instance.ended,
            (exit) => this.#core.over(this, exit),
            () => {},
          );
        }
      });
    }
    if (this.ended) this.#retire();
    this.changed();
  }

  #mayRestart(): boolean {
    const now = this.clock.now();
    while ((this.#restarts[0] ?? now) < now - this.limits.restartWindowMs) this.#restarts.shift();
    if (this.#core.closing || this.#exiting || this.#restarts.length >= this.limits.restarts)
      return false;
    this.#restarts.push(now);
    return true;
  }

  /** Nobody is left who could serve. */
  #retire(): void {
    for (const service of this.#services) service.leave(this, this.#lastWords);
    this.#services.length = 0;
  }

  /**
   * Asks every instance to exit; settles when all have, and all that they opened is closed.
   *
   * @param nested whether they still take calls made on behalf of those in flight
   * @param isNeeded whether such calls may still come to an instance
   */
  async askExit(
    options: ExitOptions,
    nested = false,
    isNeeded: (instance: GuestInstance) => boolean = () => false,
  ): Promise<GuestExit[]> {
    const {
      code = 0,
      reason = "the operator ended it",
      graceMs = this.limits.exitGraceMs,
    } = options;
    this.#exiting = true;
    const instances = [...this.#instances];
    for (const instance of instances)
      instance.askExit({ code, reason, graceMs }, nested, () => isNeeded(instance));
    for (const service of this.#services) service.exiting(reason);
    this.changed();
    return Promise.all(instances.map((i) => i.ended));
  }

  /** Ends every instance and waits until all that they opened is closed. */
  async close(reason: string): Promise<GuestExit[]> {
    const instances = [...this.#instances];
    for (const instance of instances) instance.end(0, reason);
    return Promise.all(instances.map((i) => i.ended));
  }
}
