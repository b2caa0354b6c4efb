/** Milliseconds that lines may wait, and none be taken, before that counts as trouble. */
export const STUCK_MS = 1_000;

/** Where lines leave the host. It blocks nobody: what it cannot pass on at once waits, up to a bound. */
export interface Outlet {
  /** Whether a person reads it. */
  readonly terminal: boolean;
  /** Bytes that wait. */
  readonly waiting: number;
  /** Why it passes nothing on; undefined if it does. One sentence without a stop. */
  readonly trouble: string | undefined;
  /** Takes a line with its line feed; false if there is no room for it, and it is lost. */
  write(line: string): boolean;
  /** Waits, up to `timeoutMs` milliseconds, until nothing waits; then lets go of what it opened. Called once. */
  close(timeoutMs: number): Promise<void>;
}

/** What an outlet tells its sink. */
export interface OutletEvents {
  /** Nothing waits any more. */
  readonly drained: () => void;
  /** Lines that it had taken are lost. */
  readonly lost: (lines: number) => void;
}
