import { setTimeout as delay } from "node:timers/promises";
import { type Backend, type CallObserver, printable } from "@dropthrough/dispatch";
import { createHost, type GuestConfig, type GuestExit, type Host } from "@dropthrough/host";
import { firstLine } from "./backend-packages.ts";
import { ConfigError } from "./config-error.ts";
import type { Config } from "./config.ts";
import { EXIT_INTERRUPTED, EXIT_STUCK } from "./exit-code.ts";
import { HealthWatch } from "./health-watch.ts";
import { mainGuest } from "./main-guest.ts";

/** How a deployment is run. */
export interface RunOptions {
  /** Given to the main guest, behind the arguments that it has in the configuration. */
  readonly args?: readonly string[];
  /** See every call, such as `traceTo(process.stderr)`; besides those of the configuration. */
  readonly observers?: readonly CallObserver[];
  /** Ends the run: guests are asked to exit, within `limits.exitGraceMs`; then backends are closed. */
  readonly signal?: AbortSignal;
  /** Milliseconds that guests and backends may take to close, once the run is over. Default 5,000. */
  readonly closeTimeoutMs?: number;
  /** Milliseconds between two looks at how the backends are. Default 10,000. */
  readonly healthIntervalMs?: number;
  /** Where the run says what went wrong, and of a backend that is not healthy. Default: standard error. */
  readonly report?: (line: string) => void;
}

/**
 * Runs a deployment until its main guest has ended, and closes it. The backends of the configuration are closed however it
 * ends, also if it never began.
 *
 * @returns the exit code of the main guest: 0-192 its own, 251 no entry, 252 not launched, 253 trap, 254 panic; 130 if the signal ended the
 *   run; 195 if every guest waits and nothing is left in the process that could wake one
 * @throws ConfigError if there is no guest, nobody to give `args` to, or two backends own one service; GuestError if a guest
 *   cannot be loaded
 */
export async function run(config: Config, options: RunOptions = {}): Promise<number> {
  const { args = [], signal, closeTimeoutMs = 5000 } = options;
  const report = options.report ?? ((line) => process.stderr.write(`${line}\n`));
  let open: AsyncDisposable = allOf(config.backends, report);
  try {
    if (isAborted(signal)) return EXIT_INTERRUPTED;
    const guests = await withArguments(config, args);
    const host = makeHost({
      ...config,
      guests,
      observers: [...(config.observers ?? []), ...(options.observers ?? [])],
      onExit: (exit) => {
        const line = lastWords(exit);
        if (line !== undefined) report(printable(line));
      },
      onIncident: ({ id, error, call }) => {
        const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
        report(printable(`${id} in ${call?.name ?? "the host"}: ${stack}`, "\n"));
      },
    });
    // It closes them, now that it has them.
    open = host;
    return await untilOver(host, { ...options, report });
  } finally {
    await close(open, closeTimeoutMs, report);
  }
}

/** Starts the guests, and waits until the run is over. */
async function untilOver(
  host: Host,
  { signal, report, healthIntervalMs = 10_000 }: RunOptions & { report: (line: string) => void },
): Promise<number> {
  const over = Promise.withResolvers<number>();
  const abort = (): void =>
    void host
      .shutdown({ reason: "the run was interrupted" })
      .then(() => over.resolve(EXIT_INTERRUPTED), over.reject);
  const stuck = (): void => {
    report(
      "every guest waits, and nothing is left that could wake one: mark a main guest that ends, or give its calls a deadline",
    );
    over.resolve(EXIT_STUCK);
  };
  signal?.addEventListener("abort", abort, { once: true });
  process.once("beforeExit", stuck);
  const health = new HealthWatch(host.registry, report, healthIntervalMs);
  try {
    if (isAborted(signal)) return EXIT_INTERRUPTED;
    const exited = host.start().then(async () => (await host.exited).code);
    const code = await Promise.race([exited, over.promise]);
    // Where the signal ended the main guest, its own code says nothing.
    return isAborted(signal) ? await over.promise : code;
  } finally {
    process.off("beforeExit", stuck);
    signal?.removeEventListener("abort", abort);
    await health[Symbol.asyncDispose]();
  }
}

/** Closes backends that no host has, the last first. One that fails is told of: what the run failed with is more to the point. */
function allOf(backends: Config["backends"], report: (line: string) => void): AsyncDisposable {
  const all = Array.isArray(backends) ? (backends as readonly Backend[]) : [];
  return {
    async [Symbol.asyncDispose]() {
      for (const backend of new Set(all.toReversed())) {
        try {
          await backend[Symbol.asyncDispose]?.();
        } catch (error) {
          report(printable(`backend ${backend.name} cannot be closed: ${firstLine(error)}`));
        }
      }
    },
  };
}

/** A function, since it changes while we wait, which the type checker does not see. */
function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true;
}

async function withArguments(
  { guests = [], limits }: Config,
  args: readonly string[],
): Promise<readonly GuestConfig[]> {
  if (guests.length === 0)
    throw new ConfigError('the deployment has no guest: add one to "guests"');
  if (args.length === 0) return guests;
  const main = await mainGuest(guests, limits);
  if (main === undefined) {
    throw new ConfigError(
      `no guest is main, so nobody takes the arguments ${args.join(" ")}: mark one with "main: true", and make sure that its module is there`,
    );
  }
  return guests.map((guest) =>
    guest === main ? { ...guest, arguments: [...(guest.arguments ?? []), ...args] } : guest,
  );
}

function makeHost(options: Parameters<typeof createHost>[0]): Host {
  try {
    return createHost(options);
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    throw new ConfigError(cause.message, { cause });
  }
}

/** Closes the host, or what there is of it. A backend that never closes does not keep the run. */
async function close(
  open: AsyncDisposable,
  timeoutMs: number,
  report: (line: string) => void,
): Promise<void> {
  const timer = new AbortController();
  const late = delay(timeoutMs, true, { signal: timer.signal }).catch(() => false);
  const closed = Promise.resolve(open[Symbol.asyncDispose]()).then(() => false);
  if (await Promise.race([closed, late]))
    report(`not all was closed within ${timeoutMs} ms: what a backend holds may be left behind`);
  timer.abort();
}

function lastWords({ guest, instance, code, reason }: GuestExit): string | undefined {
  // A guest that could not launch, or fails, says why: nobody else would tell.
  if (code === 0 || (code <= 192 && reason === "")) return undefined;
  const what =
    { 251: "has no entry", 252: "did not start", 253: "trapped", 254: "panicked" }[code] ??
    `ended with ${code}`;
  return `guest ${guest} (instance ${instance}) ${what}: ${reason}`;
}
