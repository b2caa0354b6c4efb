import { execFileSync, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

/**
 * Finds the redis-server that the tests talk to, and installs it where that can be done without asking: as root on Debian.
 *
 * @returns its path
 * @throws Error that says how to get it
 */
export async function findRedisServer(): Promise<string> {
  const known = process.env["REDIS_SERVER"];
  if (known !== undefined && existsSync(known)) return known;
  const found = onPath();
  if (found !== undefined) return found;
  if (existsSync("/usr/bin/apt-get") && process.getuid?.() === 0) {
    console.log("installing redis-server with apt-get");
    // In run level 1 the package starts no server of its own: the tests start theirs.
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" };
    execFileSync("apt-get", ["update", "-qq"], { stdio: ["ignore", "ignore", "inherit"], env });
    execFileSync("apt-get", ["install", "-y", "-qq", "--no-install-recommends", "redis-server"], {
      stdio: ["ignore", "ignore", "inherit"],
      env,
    });
    const installed = onPath();
    if (installed !== undefined) return installed;
  }
  throw new Error(
    "the tests need a real redis-server: `sudo apt-get install redis-server` on Debian and Ubuntu, `brew install redis` on macOS, or its path in REDIS_SERVER",
  );
}

function onPath(): string | undefined {
  const { status, stdout } = spawnSync("sh", ["-c", "command -v redis-server"], {
    encoding: "utf8",
  });
  return status === 0 ? stdout.trim() : undefined;
}
