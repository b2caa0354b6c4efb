import { execFileSync } from "node:child_process";

/** Builds the two guests, unless they are built already from what is there now. */
export default function buildGuests(): void {
  execFileSync("turbo", ["run", "guests", "--filter=sessions", "--output-logs=errors-only"], {
    cwd: new URL("../../..", import.meta.url).pathname,
    stdio: ["ignore", "ignore", "inherit"],
  });
}
