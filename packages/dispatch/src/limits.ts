/** The bounds of the registry, all on by default. */
export interface DispatchLimits {
  /**
   * Milliseconds that a call may take if neither it nor the call it serves has a deadline, so that nothing waits for ever.
   * Default 30,000; 0 for no deadline.
   */
  readonly defaultTimeoutMs: number;
  /** How deep calls may nest, guest in guest in guest, before the host's stack is in danger. Default 32. */
  readonly depth: number;
  /**
   * Fields of one message of a guest that the host decodes: for a backend that says no other number, for an interceptor or for the program
   * that called. Each item of a list counts, and where the types are a guest's, each message in it once more for every 8 fields that
   * its type has. Default 131,072.
   */
  readonly guestFields: number;
}

/** The limits that hold where nothing else is said. */
export const DEFAULT_DISPATCH_LIMITS: DispatchLimits = {
  defaultTimeoutMs: 30_000,
  depth: 32,
  guestFields: 131_072,
};
