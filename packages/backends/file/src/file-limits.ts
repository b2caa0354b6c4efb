/** The bounds of one guest, all on by default. What a mount may hold stands with the mount. */
export interface FileLimits {
  /** Files that one instance may have open at once, with the calls that wait for the disk. Above: RESOURCE_EXHAUSTED. Default 256. */
  readonly handles: number;
  /** Milliseconds after which an open file that is not used is closed, and a watch that is not read; it is NOT_FOUND then. Default 600,000. */
  readonly idleMs: number;
  /** Directories that one instance may watch at once, each one below a recursive watch counted. Above: RESOURCE_EXHAUSTED. Default 128. */
  readonly watches: number;
  /**
   * Bytes of the host's memory that what a guest wrote may take, all its instances together: in files of memory mounts until they are
   * removed, in streams until their reader has taken them. Above: RESOURCE_EXHAUSTED. Default 256 MiB.
   */
  readonly memoryBytes: number;
}

/** The limits that hold where nothing else is said. */
export const DEFAULT_FILE_LIMITS: FileLimits = {
  handles: 256,
  idleMs: 600_000,
  watches: 128,
  memoryBytes: 268_435_456,
};
