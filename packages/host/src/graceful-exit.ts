import type { Clock, ExitEvent } from "@dropthrough/dispatch";

/** What a graceful exit does with its instance. */
export interface ExitSubject {
  readonly clock: Clock;
  /** Whether somebody that is still here may yet call it, on behalf of a call in flight. */
  readonly isNeeded: () => boolean;
  /** Whether it runs, or has calls to answer. */
  readonly isBusy: () => boolean;
  /** Tells a guest that receives; false if it does not. */
  readonly tell: (exit: ExitEvent) => boolean;
  /** Makes the call that it asked for before its end; false if it asked for none, or cannot be called. */
  readonly runHook: (exit: ExitEvent) => boolean;
  /** Ends it; `late` if it was not done. */
  readonly end: (late: boolean) => void;
}

/**
 * An instance that was asked to exit:
 *
 * ```text
 *  asked ─▶ needed by others? ─▶ it receives? ── yes ─▶ told; it exits by itself
 *                                   └── no ─▶ busy? ─▶ its own clean-up ─▶ ended
 *    └── exitGraceMs ─▶ calls in flight are ABORTED ─▶ its own clean-up, if it is not in a call ─▶ ended
 * ```
 */
export class GracefulExit {
  readonly #subject: ExitSubject;
  readonly #code: number;
  readonly #reason: string;
  #until: number;
  readonly #hooksMs: number;
  #stopTimer: () => void;
  #step: "waiting" | "told" | "cleaning" = "waiting";

  constructor(
    subject: ExitSubject,
    { code, reason, graceMs }: { code: number; reason: string; graceMs: number },
    hooksMs: number,
  ) {
    this.#subject = subject;
    this.#code = code;
    this.#reason = reason;
    this.#hooksMs = hooksMs;
    this.#until = subject.clock.now() + graceMs;
    this.#stopTimer = subject.clock.after(graceMs, () => this.#late());
  }

  /** Something has changed: it may be able to end now. */
  look(): void {
    const { isNeeded, isBusy, tell, end } = this.#subject;
    if (this.#step !== "waiting" || isNeeded()) return;
    const left = this.#until - this.#subject.clock.now();
    if (tell(this.#event(left))) this.#step = "told";
    else if (!isBusy() && !this.#clean()) end(false);
  }

  /** It was asked once more: it has no longer than that gives it. */
  hurry(graceMs: number): void {
    const { clock } = this.#subject;
    if (this.#step === "cleaning" || clock.now() + graceMs >= this.#until) return;
    this.#until = clock.now() + graceMs;
    this.#stopTimer();
    this.#stopTimer = clock.after(graceMs, () => this.#late());
  }

  /** The instance has ended. */
  stop(): void {
    this.#stopTimer();
  }

  #late(): void {
    if (this.#step !== "cleaning" && (this.#subject.isBusy() || !this.#clean()))
      this.#subject.end(true);
  }

  /** Lets the guest clean up, within its bound; false if it does not want to. */
  #clean(): boolean {
    this.#step = "cleaning";
    this.#stopTimer();
    // First: the call may end the guest before it returns.
    this.#stopTimer = this.#subject.clock.after(this.#hooksMs, () => this.#subject.end(true));
    return this.#subject.runHook(this.#event(this.#hooksMs));
  }

  #event(leftMs: number): ExitEvent {
    return {
      kind: "exit",
      code: this.#code,
      reason: this.#reason,
      graceMs: Math.max(0, leftMs),
    };
  }
}
