import { fileURLToPath } from "node:url";
import { file, type DiskMount } from "@dropthrough/file";
import { kernel } from "@dropthrough/kernel";
import { log } from "@dropthrough/log";
import { redis } from "@dropthrough/redis";
import { type Config, defineConfig } from "dropthrough";

/** What is counted, and where the counts are kept. */
export interface WordsOptions {
  /** Folders and files of the host. Guests see them under their own absolute paths, and see nothing else. */
  readonly paths: readonly string[];
  /** A Redis server; left out, the embedded engine. */
  readonly redisUrl?: string | undefined;
  /** Where the client prints. Default the standard streams of the process. */
  readonly stdout?: NodeJS.WriteStream;
  readonly stderr?: NodeJS.WriteStream;
}

const build = (name: string): string =>
  fileURLToPath(new URL(`build/${name}.wasm`, import.meta.url));

/** Two guests and four backends. */
export function deployment({ paths, redisUrl, stdout, stderr }: WordsOptions): Config {
  const disks = paths.map((path): [string, DiskMount] => [path, { path }]);
  return defineConfig({
    backends: [
      kernel(),
      log({ level: "warn" }),
      file({
        mounts: {
          ...Object.fromEntries(disks),
          "/dev/stdout": { stream: stdout ?? process.stdout },
          "/dev/stderr": { stream: stderr ?? process.stderr },
        },
      }),
      redis(redisUrl === undefined ? { embedded: true } : { url: redisUrl }),
    ],
    guests: [
      {
        name: "words.facade",
        module: build("facade"),
        exports: ["words.v1.WordsService"],
        grants: ["dropthrough.redis.v1.RedisService/*", "dropthrough.log.v1.LogService/*"],
      },
      {
        name: "words.client",
        module: build("client"),
        main: true,
        grants: ["words.v1.WordsService/*", "dropthrough.file.v1.FileService/*"],
      },
    ],
  });
}
