import { type ChildProcess, spawn } from "node:child_process";

/**
 * Ends a child of this process when this process ends, however it ends, and removes the child's folder. Nobody can say so
 * at the very end of a process that is killed: it is a shell that waits for the other end of its pipe to be closed.
 */
export function watchOver(child: ChildProcess, folder: string): void {
  if (child.pid === undefined) return;
  const args = ["-c", WAIT_AND_END, "sh", String(child.pid), folder];
  // What a terminal says to all that run in it would end this one first.
  const shell = spawn("sh", args, { stdio: ["pipe", "ignore", "ignore"], detached: true });
  shell.on("error", () => {
    // Without a shell nobody watches: the child is killed by whoever disposes it.
  });
  shell.unref();
  child.once("exit", () => shell.kill("SIGKILL"));
}

const WAIT_AND_END = 'read -r end; kill -9 "$1"; rm -rf "$2"';
