/**
 * The bounds of one guest instance at the boundary, all on by default.
 *
 * Each field names the attack that it stops; docs/LIMITS.md lists them with their tests.
 */
export interface AbiLimits {
  /** Bytes of one request. Stops a guest that makes the host copy without end. Default 4 MiB. */
  readonly requestBytes: number;
  /** Bytes of one response, to or from the guest. Stops a peer that fills the host's memory. Default 4 MiB. */
  readonly responseBytes: number;
  /** Bytes of a method name given to `bind`. Default 256. */
  readonly nameBytes: number;
  /** Methods that one instance may bind. Default 1,024. */
  readonly bindings: number;
  /**
   * Calls that the host holds for one instance at a time: pending, parked and incoming together.
   * Stops a guest that starts calls and never looks at them. Default 1,024.
   */
  readonly calls: number;
  /** Bytes of all bodies parked for one instance. Default 16 MiB. */
  readonly parkedBytes: number;
  /**
   * Bytes of the requests of all pending calls of one instance, and of what they have come to while nobody collects it: but 64 of those are
   * kept as they are, and not counted. As many again of the requests that it is to answer. Stops a guest that has large calls under way by
   * the hundred. Default 64 MiB.
   */
  readonly pendingBytes: number;
}

/** The limits that hold where nothing else is said. */
export const DEFAULT_ABI_LIMITS: AbiLimits = {
  requestBytes: 4 * 1024 * 1024,
  responseBytes: 4 * 1024 * 1024,
  nameBytes: 256,
  bindings: 1024,
  calls: 1024,
  parkedBytes: 16 * 1024 * 1024,
  pendingBytes: 64 * 1024 * 1024,
};
