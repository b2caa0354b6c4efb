import { execFileSync } from "node:child_process";

/** Builds the two guests, unless they are built already from what is there now. */
export default function buildGuests(): void {
  execFileSync("turbo", ["run", "guests", "--filter=words", "--output-logs=errors-only"], {
    cwd: new URL("../../..", import.meta.url).pathname,
    stdio: ["ignore", "ignore", "inherit"],
  });
}
