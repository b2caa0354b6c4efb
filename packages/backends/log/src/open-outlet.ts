import { closeSync, constants, fstatSync, openSync, readSync, statSync } from "node:fs";
import { resolve } from "node:path";
import type { Writable } from "node:stream";
import { DescriptorOutlet } from "./descriptor-outlet.ts";
import { FollowedFile } from "./followed-file.ts";
import type { Outlet, OutletEvents } from "./outlet.ts";
import { StreamOutlet } from "./stream-outlet.ts";

const { O_APPEND, O_CREAT, O_NONBLOCK, O_NOCTTY, O_RDONLY, O_WRONLY } = constants;
const STDERR = 2;
const LINE_FEED = 10;

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
    const path = resolve(to);
    const open = (): number => openSync(path, flags, 0o640);
    const fd = open();
    const outlet = new DescriptorOutlet(fd, true, bufferBytes, events);
    if (endsWithinLine(path)) outlet.write("\n");
    return fstatSync(fd).isFile() ? new FollowedFile(path, fd, open, outlet) : outlet;
  }
  if (to !== undefined) return new StreamOutlet(to, bufferBytes, events);
  return openStderr(bufferBytes, events);
}

/** Whether the last line of a file was never ended, as when its disk was full: the next one would be lost in it. */
function endsWithinLine(path: string): boolean {
  let fd: number | undefined;
  try {
    const stats = statSync(path);
    if (!stats.isFile() || stats.size === 0) return false;
    fd = openSync(path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    const last = Buffer.alloc(1);
    return readSync(fd, last, 0, 1, stats.size - 1) === 1 && last[0] !== LINE_FEED;
  } catch {
    // What may be written to, but not read, is taken as it is.
    return false;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
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
