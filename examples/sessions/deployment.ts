import { fileURLToPath } from "node:url";
import { file } from "@dropthrough/file";
import { kernel } from "@dropthrough/kernel";
import { log } from "@dropthrough/log";
import { redis } from "@dropthrough/redis";
import { sessionGuest } from "@dropthrough/session";
import { type Config, defineConfig } from "dropthrough";

/** A guest of our own, the facade as it is published, and four backends. */
export function deployment(redisUrl?: string): Config {
  return defineConfig({
    backends: [
      kernel(),
      log({ level: "warn" }),
      file({
        mounts: {
          "/dev/stdout": { stream: process.stdout },
          "/dev/stderr": { stream: process.stderr },
        },
      }),
      // With `isolate`, nobody else's keys are in the way of the facade's, and its are in nobody's.
      redis({
        isolate: true,
        ...(redisUrl === undefined ? { embedded: true } : { url: redisUrl }),
      }),
    ],
    guests: [
      { ...sessionGuest, module: fileURLToPath(sessionGuest.module) },
      {
        name: "sessions.client",
        module: fileURLToPath(new URL("build/client.wasm", import.meta.url)),
        main: true,
        grants: ["dropthrough.session.v1.SessionService/*", "dropthrough.file.v1.FileService/*"],
      },
    ],
  });
}
