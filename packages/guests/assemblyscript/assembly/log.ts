import { codeName } from "./code";
import { Status } from "./gen/dropthrough/abi/v1/status";
import {
  EnabledRequest,
  Error$,
  Level,
  LogServiceClient,
  Record,
  WriteRequest,
} from "./gen/dropthrough/log/v1/log";
import { Attributes } from "./log-attributes";

let logClient: LogServiceClient | null = null;

function client(): LogServiceClient {
  let it = logClient;
  if (it === null) {
    it = new LogServiceClient();
    logClient = it;
  }
  return it;
}

/**
 * Records for the operator. The host adds who wrote them and for which call.
 *
 * ```
 * log.info("connected", attributes().string("user", name).int("attempt", 3));
 * log.error("cannot save", null, result.status);
 * if (log.enabled(Level.DEBUG)) log.debug(describeAll());
 * ```
 *
 * A record that cannot be written is lost, and nothing else: a guest does not end for want of a log. `log.service()` tells why.
 */
export namespace log {
  export function trace(message: string, facts: Attributes | null = null): void {
    write(Level.TRACE, message, facts, null);
  }

  export function debug(message: string, facts: Attributes | null = null): void {
    write(Level.DEBUG, message, facts, null);
  }

  export function info(message: string, facts: Attributes | null = null): void {
    write(Level.INFO, message, facts, null);
  }

  export function warn(
    message: string,
    facts: Attributes | null = null,
    status: Status | null = null,
  ): void {
    write(Level.WARN, message, facts, status);
  }

  /** @param status why it went wrong, such as `result.status` */
  export function error(
    message: string,
    facts: Attributes | null = null,
    status: Status | null = null,
  ): void {
    write(Level.ERROR, message, facts, status);
  }

  /** What the guest does not go on after. It ends nothing by itself: call `exit`. */
  export function fatal(
    message: string,
    facts: Attributes | null = null,
    status: Status | null = null,
  ): void {
    write(Level.FATAL, message, facts, status);
  }

  /** Whether a record of a level would be written now: what nobody reads need not be put together. */
  export function enabled(level: i32): bool {
    const request = new EnabledRequest();
    request.level = level;
    const answer = client().enabled(request);
    return answer.ok && answer.value.enabled;
  }

  /** The whole LogService, for batches, times and stacks. */
  export function service(): LogServiceClient {
    return client();
  }
}

function write(level: i32, message: string, facts: Attributes | null, status: Status | null): void {
  const record = new Record();
  record.level = level;
  record.message = message;
  if (facts !== null) record.attributes = facts.items;
  if (status !== null) {
    const error = new Error$();
    error.type$ = codeName(status.code);
    error.message = status.message;
    record.error = error;
  }
  const request = new WriteRequest();
  request.record = record;
  client().write(request);
}
