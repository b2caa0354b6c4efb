/** What one caller may hold and send. docs/LIMITS.md says what each of them stops. */
export const DEFAULT_REDIS_LIMITS = {
  /** Open connections. */
  connections: 64,
  /** Those of them whose URL the caller brought: each has sockets of its own. */
  urlConnections: 8,
  /** Bytes that the caller puts before the keys of a connection. */
  prefix: 256,
  /** Open watches: each has a connection of its own. */
  watches: 16,
  subscriptions: 64,
  /** Channels and patterns of one subscription. */
  channels: 256,
  /** Messages that one subscription keeps. */
  messages: 65_536,
  /** Bytes that one subscription keeps. */
  messageBytes: 16_777_216,
  /** Commands of one pipeline or transaction. */
  commands: 10_000,
  /** Commands that are not answered yet, whether or not their calls still wait. */
  unanswered: 10_000,
  /** Fields of one request: texts, bytes and messages, each item of a list. SortedSetIncrement may have 4 for each increment. */
  fields: 131_072,
  /** Increments of one SortedSetIncrement. */
  increments: 100_000,
  /** What one page of a scan may look at. */
  scanCount: 10_000,
} as const;
