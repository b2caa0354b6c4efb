import { log } from "./log";

/**
 * What a program prints, line by line into the log. AssemblyScript's own `console` needs an import that no host has; importing this one puts it
 * in its place. A text of several lines is as many records.
 */
export namespace console {
  export function log(text: string = ""): void {
    info(text);
  }

  export function debug(text: string = ""): void {
    const all = lines(text);
    for (let i = 0; i < all.length; i++) writeDebug(all[i]);
  }

  export function info(text: string = ""): void {
    const all = lines(text);
    for (let i = 0; i < all.length; i++) writeInfo(all[i]);
  }

  export function warn(text: string = ""): void {
    const all = lines(text);
    for (let i = 0; i < all.length; i++) writeWarn(all[i]);
  }

  export function error(text: string = ""): void {
    const all = lines(text);
    for (let i = 0; i < all.length; i++) writeError(all[i]);
  }
}

// Outside of the namespace, where `log` is the one that is imported.
function writeDebug(line: string): void {
  log.debug(line);
}
function writeInfo(line: string): void {
  log.info(line);
}
function writeWarn(line: string): void {
  log.warn(line);
}
function writeError(line: string): void {
  log.error(line);
}

/** A line feed at the end ends the last line, and begins none. */
function lines(text: string): string[] {
  const all = text.split("\n");
  if (all.length > 1 && all[all.length - 1].length == 0) all.pop();
  return all;
}
