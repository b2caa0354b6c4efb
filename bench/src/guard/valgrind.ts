import { execFileSync, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

/**
 * Finds valgrind, which counts the instructions of a call, and installs it where that can be done without asking: as
 * root on Debian.
 *
 * @throws Error that says how to get it
 */
export function findValgrind(): void {
  if (!onPath() && existsSync("/usr/bin/apt-get") && process.getuid?.() === 0) {
    console.log("installing valgrind with apt-get");
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
    const stdio = ["ignore", "ignore", "inherit"] as const;
    execFileSync("apt-get", ["update", "-qq"], { stdio: [...stdio], env });
    const install = ["install", "-y", "-qq", "--no-install-recommends", "valgrind"];
    execFileSync("apt-get", install, { stdio: [...stdio], env });
  }
  if (onPath()) return;
  throw new Error(
    "the guard counts instructions with valgrind: `sudo apt-get install valgrind` on Debian and Ubuntu",
  );
}

function onPath(): boolean {
  return spawnSync("sh", ["-c", "command -v valgrind && command -v vgdb"]).status === 0;
}
