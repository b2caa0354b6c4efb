/** How the operator ends a guest. */
export interface ExitOptions {
  /** Its exit code, unless it exits with another one by itself; clamped to 0-192. Default 0. */
  readonly code?: number;
  /** One sentence for whoever is told. Default: that the operator ended it. */
  readonly reason?: string;
  /** Milliseconds that its calls in flight have. Default: `limits.exitGraceMs`. */
  readonly graceMs?: number;
}
