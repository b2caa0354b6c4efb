import { printable, type Registry } from "@dropthrough/dispatch";

/**
 * Reports when a backend of a run is no longer healthy, and when it is again: the log cannot tell that of itself. It looks every
 * `intervalMs` milliseconds, and once more when it is disposed. It does not hold the process.
 */
export class HealthWatch implements AsyncDisposable {
  readonly #registry: Registry;
  readonly #report: (line: string) => void;
  readonly #timer: NodeJS.Timeout;
  /** What was said last of each service whose backend is not healthy. */
  readonly #ill = new Map<string, string>();
  #look: Promise<void> | undefined;

  constructor(registry: Registry, report: (line: string) => void, intervalMs: number) {
    this.#registry = registry;
    this.#report = report;
    this.#timer = setInterval(() => void (this.#look ??= this.#once(false)), intervalMs).unref();
  }

  async #once(last: boolean): Promise<void> {
    for (const {
      name,
      service,
      ok,
      message = "no reason given",
    } of await this.#registry.health()) {
      const said = this.#ill.get(service);
      // A count in the message goes up and up: what it has come to is said at the end.
      const isNews = said === undefined || (last && said !== message);
      if (!ok && isNews) this.#say(`backend ${name} is not healthy: ${message}`);
      if (ok && said !== undefined) this.#say(`backend ${name} is healthy again`);
      if (ok) this.#ill.delete(service);
      else if (isNews) this.#ill.set(service, message);
    }
    this.#look = undefined;
  }

  #say(line: string): void {
    this.#report(printable(line));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await this.#look;
    await this.#once(true);
  }
}
