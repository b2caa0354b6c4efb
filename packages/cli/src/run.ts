import type { CallObserver } from "@dropthrough/dispatch";
import { createHost, type GuestExit } from "@dropthrough/host";
import type { Config } from "./config.ts";

/** How a deployment is run. */
export interface RunOptions {
  /** Given to the main guest, behind the arguments that it has in the configuration. */
  readonly args?: readonly string[];
  /** See every call, such as `traceTo(process.stderr)`. */
  readonly observers?: readonly CallObserver[];
  /** Ends the run: guests are unwound, backends are closed. */
  readonly signal?: AbortSignal;
  /** Where the run says what went wrong, a line at a time. Default: standard error. */
  readonly report?: (line: string) => void;
}

/**
 * Runs a deployment until its main guest has ended, and closes it.
 *
 * @returns the exit code of the main guest: 0-192 its own, 251 no entry, 253 trap, 254 panic; 130 if the signal ended the run
 * @throws GuestError if a guest cannot be loaded; TypeError if two backends own one service
 */
export async function run(config: Config, options: RunOptions = {}): Promise<number> {
  const {
    args = [],
    observers = [],
    signal,
    report = (line) => process.stderr.write(`${line}\n`),
  } = options;
  const aborted = new Promise<undefined>((resolve) => {
    if (signal?.aborted) resolve(undefined);
    signal?.addEventListener("abort", () => resolve(undefined), { once: true });
  });
  const guests = config.guests ?? [];
  // The main guest is known only when all are loaded; arguments are for whoever is a command, or chosen.
  const chosen = guests.some((guest) => guest.main === true);
  await using host = createHost({
    ...config,
    guests: guests.map((guest) =>
      args.length === 0 || (chosen && guest.main !== true)
        ? guest
        : { ...guest, arguments: [...(guest.arguments ?? []), ...args] },
    ),
    observers,
    onExit: (exit) => {
      const line = lastWords(exit);
      if (line !== undefined) report(line);
    },
    onIncident: ({ id, error, call }) => {
      const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
      report(`${id} in ${call?.name ?? "the host"}: ${stack}`);
    },
  });
  const exit = await Promise.race([host.start().then(async () => host.exited), aborted]);
  return exit?.code ?? 130;
}

function lastWords({ guest, instance, code, reason }: GuestExit): string | undefined {
  if (code <= 192) return undefined;
  const what =
    { 251: "has no entry", 253: "trapped", 254: "panicked" }[code] ?? `ended with ${code}`;
  return `guest ${guest} (instance ${instance}) ${what}: ${reason}`;
}
