import { execFileSync } from "node:child_process";

/** Builds the guest, unless it is built already from what is there now. */
export default function buildGuest(): void {
  execFileSync(
    "turbo",
    ["run", "guests", "--filter=@dropthrough/keyvalue", "--output-logs=errors-only"],
    {
      cwd: new URL("../../../..", import.meta.url).pathname,
      stdio: ["ignore", "ignore", "inherit"],
    },
  );
}
