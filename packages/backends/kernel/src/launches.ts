import { Code, ConnectError, type HandlerContext } from "@connectrpc/connect";
import type { Directory, Guest } from "@dropthrough/dispatch";
import type { Departures } from "./departures.ts";
import { diagnosis, hopeless, type Progress } from "./diagnosis.ts";
import { StartGraph } from "./start-graph.ts";

/** A Launch that has not answered yet. */
interface Waiting {
  readonly guest: Guest;
  /** Ends the wait: answers OK, or fails. */
  readonly end: (failure?: ConnectError) => void;
}

/**
 * The launches that wait, in the order in which they were asked for. Every change of the directory lets all of them
 * look again, until nothing changes any more:
 *
 * ```text
 *  Launch ─▶ all required runs? ── yes ─▶ launched, and whoever waited for it looks again
 *                └── no ─▶ can it ever? ── no ─▶ NOT_FOUND, UNAVAILABLE
 *                              └── yes ─▶ waits ── the startup deadline ─▶ DEADLINE_EXCEEDED, with who waits for whom
 * ```
 */
export class Launches implements Disposable {
  readonly #directory: Directory;
  readonly #departures: Departures;
  readonly #startupTimeoutMs: number;
  readonly #progress: (guest: Guest) => Progress;
  readonly #waiting = new Map<Guest, Waiting>();
  /** Who has called Launch, though it may have waited in vain. */
  readonly #asked = new WeakSet<Guest>();
  readonly #watch: Disposable;
  #looking = false;
  #changed = false;

  constructor(
    directory: Directory,
    departures: Departures,
    startupTimeoutMs: number,
    isRegistered: (guest: Guest) => boolean,
  ) {
    this.#directory = directory;
    this.#departures = departures;
    this.#startupTimeoutMs = startupTimeoutMs;
    this.#progress = (guest) => {
      if (this.#asked.has(guest)) return "launching";
      return isRegistered(guest) ? "registered" : "new";
    };
    departures.see(directory.guests());
    this.#watch = directory.watch(() => {
      departures.see(directory.guests());
      this.#look();
    });
  }

  /**
   * Launches a guest: at once if everything that it requires runs, else as soon as it does.
   *
   * @throws ConnectError FAILED_PRECONDITION if it is launching already; NOT_FOUND and UNAVAILABLE as `hopeless`;
   *   DEADLINE_EXCEEDED at the startup deadline, or the call's own if that is nearer; the reason of the call's signal
   */
  launch(guest: Guest, context: HandlerContext): undefined | Promise<void> {
    if (guest.state === "running") return undefined;
    if (this.#waiting.has(guest)) {
      throw new ConnectError(
        `${guest.name} is launching already: wait for the first Launch`,
        Code.FailedPrecondition,
      );
    }
    // A guest that requires nothing waits for nobody, however many are there.
    const graph = guest.required.size > 0 ? new StartGraph(this.#directory) : undefined;
    if (graph === undefined || graph.missing(guest).length === 0) {
      guest.launch();
      return undefined;
    }
    const failure = hopeless(guest, graph, this.#departures);
    if (failure !== undefined) throw failure;
    return this.#wait(guest, context);
  }

  #wait(guest: Guest, context: HandlerContext): Promise<void> {
    const { signal } = context;
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    // A millisecond before the call's own deadline, so that its answer is the diagnosis.
    const ms = Math.min(this.#startupTimeoutMs, Math.max(0, (context.timeoutMs() ?? Infinity) - 1));
    const late = (): void => {
      const why = diagnosis(guest, new StartGraph(this.#directory), this.#progress);
      end(
        new ConnectError(
          `${guest.name} could not start within ${Math.round(ms)} ms: ${why}`,
          Code.DeadlineExceeded,
        ),
      );
    };
    const leave = (): void => end(ConnectError.from(signal.reason, Code.Canceled));
    const end = (failure?: ConnectError): void => {
      this.#waiting.delete(guest);
      stop();
      signal.removeEventListener("abort", leave);
      if (failure === undefined) resolve();
      else reject(failure);
    };
    this.#waiting.set(guest, { guest, end });
    this.#asked.add(guest);
    const stop = this.#directory.clock.after(ms, late);
    signal.addEventListener("abort", leave);
    return promise;
  }

  /** Lets everybody look again. A launch changes the directory, so this is asked for while it runs: it goes on then. */
  #look(): void {
    this.#changed = true;
    if (this.#looking) return;
    this.#looking = true;
    try {
      while (this.#changed && this.#waiting.size > 0) {
        this.#changed = false;
        const graph = new StartGraph(this.#directory);
        const ready = [...this.#waiting.values()].filter(
          (w) => graph.missing(w.guest).length === 0,
        );
        for (const { guest, end } of ready) {
          end(launchFailure(guest));
          this.#changed = true;
        }
        // What a launch has just changed is looked at first, before anybody is given up.
        if (!this.#changed) this.#giveUp(graph);
      }
    } finally {
      this.#looking = false;
    }
  }

  #giveUp(graph: StartGraph): void {
    for (const { guest, end } of this.#waiting.values()) {
      const failure =
        guest.state === "exited"
          ? new ConnectError(`${guest.name} has exited`, Code.Aborted)
          : hopeless(guest, graph, this.#departures);
      if (failure !== undefined) end(failure);
    }
  }

  [Symbol.dispose](): void {
    this.#watch[Symbol.dispose]();
    for (const { guest, end } of this.#waiting.values())
      end(new ConnectError(`the host ends: ${guest.name} cannot start`, Code.Unavailable));
  }
}

/** Launches a guest; the failure, if its host refuses. */
function launchFailure(guest: Guest): ConnectError | undefined {
  try {
    guest.launch();
    return undefined;
  } catch (error) {
    return ConnectError.from(error);
  }
}
