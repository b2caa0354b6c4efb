/** The bounds of one guest instance, all on by default. What a mount may hold stands with the mount. */
export interface FileLimits {
  /** Files that may be open at once. Above: RESOURCE_EXHAUSTED. Default 256. */
  readonly handles: number;
  /** Milliseconds after which an open file that is not used is closed; its handle is NOT_FOUND then. Default 600,000. */
  readonly idleMs: number;
}

/** The limits that hold where nothing else is said. */
export const DEFAULT_FILE_LIMITS: FileLimits = {
  handles: 256,
  idleMs: 600_000,
};
