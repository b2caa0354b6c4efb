import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { connect } from "node:net";
import { expect, test } from "vitest";

const program = new URL("starts-server.ts", import.meta.url).pathname;

/** Whether somebody listens there. */
async function listens(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  const answer = new Promise<boolean>((resolve) => {
    socket.on("connect", () => resolve(true)).on("error", () => resolve(false));
  });
  return answer.finally(() => socket.destroy());
}

const ends = [
  ["SIGKILL", "running"],
  ["SIGKILL", "paused"],
  ["SIGTERM", "running"],
  ["SIGINT", "paused"],
  ["exit", "paused"],
  ["throw", "running"],
] as const;

test.each(ends)(
  "a server ends with the program that started it, and so does its folder: %s, %s",
  async (way, state) => {
    const child = spawn(process.execPath, [program, way, state], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    try {
      const ended = once(child, "exit");
      const [said] = (await once(child.stdout, "data")) as [Buffer];
      const { port, folder } = JSON.parse(said.toString()) as { port: number; folder: string };
      if (way !== "exit" && way !== "throw") {
        expect([await listens(port), existsSync(folder)]).toEqual([true, true]);
        child.kill(way);
      }
      await ended;
      await expect.poll(() => listens(port)).toBe(false);
      await expect.poll(() => existsSync(folder)).toBe(false);
    } finally {
      child.kill("SIGKILL");
    }
  },
);
