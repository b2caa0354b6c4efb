import { constants, fstatSync, openSync } from "node:fs";
import type { Writable } from "node:stream";
import { DescriptorOutlet } from "./descriptor-outlet.ts";
import type { Outlet, OutletEvents } from "./outlet.ts";
import { StreamOutlet } from "./stream-outlet.ts";

const { O_APPEND, O_CREAT, O_NONBLOCK, O_NOCTTY, O_WRONLY } = constants;
const STDERR = 2;

/**
 * Opens what lines go to: a stream, a file by its path (appended to), or standard error.
 *
 * @throws Error of node:fs if the file cannot be opened
 */
export function openOutlet(
  to: Writable | string | undefined,
  bufferBytes: number,
  events: OutletEvents,
): Outlet {
  if (typeof to === "string") {
    const flags = O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_NOCTTY;
    return new DescriptorOutlet(openSync(to, flags, 0o640), true, bufferBytes, events);
  }
  if (to !== undefined) return new StreamOutlet(to, bufferBytes, events);
  return openStderr(bufferBytes, events);
}

/**
 * Standard error. `process.stderr` blocks the host while nobody reads a terminal, and a descriptor that Node's thread pool writes
 * to keeps the host from ending while nobody reads a pipe. A pipe or terminal is therefore opened once more, as a file description
 * of our own that does not block; where that is not possible (a socket, another user's pipe, no /proc), `process.stderr` has to do.
 */
function openStderr(bufferBytes: number, events: OutletEvents): Outlet {
  try {
    if (fstatSync(STDERR).isFile()) return new DescriptorOutlet(STDERR, false, bufferBytes, events);
    const flags = O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY;
    const fd = openSync(`/proc/self/fd/${STDERR}`, flags);
    return new DescriptorOutlet(fd, true, bufferBytes, events);
  } catch {
    return new StreamOutlet(process.stderr, bufferBytes, events);
  }
}
