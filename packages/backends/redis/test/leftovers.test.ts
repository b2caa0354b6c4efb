import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { startRedisServer } from "../src/testing.ts";
import { startRedisCluster } from "./cluster.ts";

const program = new URL("leftovers.ts", import.meta.url).pathname;

test(
  "a backend that is closed in the middle of anything leaves no socket and no timer: a host that has ended exits",
  { timeout: 120_000 },
  async () => {
    await using server = await startRedisServer();
    await using hanging = await startRedisServer();
    await using cluster = await startRedisCluster();
    hanging.pause();
    const urls = [server, hanging, ...cluster.nodes].map(({ url }) => url);
    const run = promisify(execFile);
    const { stdout, stderr } = await run(process.execPath, [program, ...urls]);
    expect(JSON.parse(stdout)).toEqual({});
    expect(stderr).toBe("");
  },
);
