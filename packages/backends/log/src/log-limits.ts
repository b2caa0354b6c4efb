/** The bounds of the log, all on by default. What is above one is refused or cut where the guest sees it, or counted. */
export interface LogLimits {
  /** Bytes that what a guest gave for one record may take on its line, escaped. Above: RESOURCE_EXHAUSTED. Default 65,536. */
  readonly recordBytes: number;
  /** Characters of one text; what is longer is cut, and says how long it was. Default 16,384. */
  readonly textLength: number;
  /** Characters of a key; what is longer is cut. Default 256. */
  readonly keyLength: number;
  /** Bytes of one bytes value; what is longer is cut, and says how long it was. Default 1,024. */
  readonly valueBytes: number;
  /** Attributes, or values of a list, at one level. Above: RESOURCE_EXHAUSTED. Default 64. */
  readonly attributes: number;
  /** Levels of nesting. Above: RESOURCE_EXHAUSTED. Default 8. */
  readonly depth: number;
  /** Fields of one request: texts, values and messages, each of a list. Above: RESOURCE_EXHAUSTED. Default 131,072. */
  readonly fields: number;
  /** Records of one WriteBatch. Above: RESOURCE_EXHAUSTED. Default 1,024. */
  readonly batch: number;
  /** Records that one guest may write in a second, on average. Above: dropped and counted. Default 1,000. */
  readonly recordsPerSecond: number;
  /** Bytes of lines that one guest may write in a second, on average. Above: dropped and counted. Default 262,144. */
  readonly bytesPerSecond: number;
  /** Seconds' worth of both that may come at once. Default 10. */
  readonly burstSeconds: number;
  /** Bytes of lines that may wait for a slow sink. Above: lost and counted. Default 4,194,304. */
  readonly bufferBytes: number;
}

/** The limits that hold where nothing else is said. */
export const DEFAULT_LOG_LIMITS: LogLimits = {
  recordBytes: 65_536,
  textLength: 16_384,
  keyLength: 256,
  valueBytes: 1_024,
  attributes: 64,
  depth: 8,
  fields: 131_072,
  batch: 1_024,
  recordsPerSecond: 1_000,
  bytesPerSecond: 262_144,
  burstSeconds: 10,
  bufferBytes: 4_194_304,
};
