/** A configuration could not be used. The message is one sentence that says what to do. */
export class ConfigError extends Error {
  override name = "ConfigError";
}
