import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { watchOver } from "./watchdog.ts";

/** How a server is started. */
export interface RedisServerOptions {
  /** More of its configuration, as on its command line: `["--appendonly", "yes"]`. */
  readonly args?: readonly string[];
  /** Listen on a unix socket alone, on no port. Default false: on a free port of 127.0.0.1. */
  readonly unixSocket?: boolean;
  /** Speak TLS alone, with a certificate and its key: paths of PEM files. Default false. */
  readonly tls?: { readonly certFile: string; readonly keyFile: string };
  /** Be a sentinel, which watches over others. Default false. */
  readonly sentinel?: boolean;
}

/** A redis-server that is running. Dispose it to kill it and to remove its folder; else it ends with this process. */
export interface RedisServer extends AsyncDisposable {
  /** For `redis({ url })`. */
  readonly url: string;
  /** The port of 127.0.0.1; 0 with a unix socket. */
  readonly port: number;
  /** Its working folder, which is removed in the end. */
  readonly folder: string;
  /** Ends it at once, without saving, as when its machine loses power. */
  kill(): Promise<void>;
  /** Starts it again after `kill`, at the same place, with what it wrote to disk. */
  restart(): Promise<void>;
  /** Stops it without closing its connections, as when its machine hangs. */
  pause(): void;
  /** Lets it go on after `pause`. */
  resume(): void;
}

/**
 * Starts a real redis-server on loopback, with a folder of its own. Its path is taken from REDIS_SERVER, or else
 * looked up on PATH.
 *
 * @throws Error that says how to get one, if there is none
 */
export async function startRedisServer(options: RedisServerOptions = {}): Promise<RedisServer> {
  const folder = mkdtempSync(join(tmpdir(), "dropthrough-redis-"));
  const port = options.unixSocket === true ? 0 : await freePort();
  const socket = join(folder, "redis.sock");
  const { tls } = options;
  const args = argsOf(options, port, folder, socket);
  let child = await start(args, folder);
  const kill = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  };
  return {
    url: port === 0 ? `unix://${socket}` : `redis${tls ? "s" : ""}://127.0.0.1:${port}`,
    port,
    folder,
    kill,
    async restart() {
      await kill();
      child = await start(args, folder);
    },
    pause: () => void child.kill("SIGSTOP"),
    resume: () => void child.kill("SIGCONT"),
    async [Symbol.asyncDispose]() {
      await kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function argsOf(
  { sentinel, tls, args = [] }: RedisServerOptions,
  port: number,
  folder: string,
  socket: string,
): string[] {
  const place = ["--port", String(port), "--bind", "127.0.0.1", "--dir", folder];
  if (sentinel === true) {
    // It keeps what it knows in its configuration.
    const config = join(folder, "sentinel.conf");
    writeFileSync(config, "");
    return [config, "--sentinel", ...place, ...args];
  }
  const all = [...place, "--save", ""];
  if (port === 0) all.push("--unixsocket", socket);
  if (tls !== undefined) all.push("--tls-port", String(port), ...tlsArgs(tls));
  return [...all, ...args];
}

function tlsArgs({ certFile, keyFile }: NonNullable<RedisServerOptions["tls"]>): string[] {
  const certificate = ["--tls-cert-file", certFile, "--tls-key-file", keyFile];
  return [
    "--port",
    "0",
    ...certificate,
    "--tls-ca-cert-file",
    certFile,
    "--tls-auth-clients",
    "no",
  ];
}

/** Starts the program and waits until it says that it takes connections. */
async function start(args: readonly string[], folder: string): Promise<ChildProcess> {
  const path = process.env["REDIS_SERVER"] ?? "redis-server";
  const child = spawn(path, args, { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  watchOver(child, folder);
  let output = "";
  await new Promise<void>((resolve, reject) => {
    const read = (text: Buffer): void => {
      output += text.toString();
      if (/ready to accept connections|Sentinel ID is/i.test(output)) resolve();
    };
    child.stdout.on("data", read);
    child.stderr.on("data", read);
    child.once("error", (cause) => reject(new Error(HOW_TO_GET_IT, { cause })));
    child.once("exit", () => reject(new Error(`redis-server ended at once:\n${output}`)));
  });
  child.stdout.removeAllListeners("data").resume();
  child.stderr.removeAllListeners("data").resume();
  return child;
}

/** A port of 127.0.0.1 that nobody listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port is free");
  return address.port;
}

const HOW_TO_GET_IT =
  "no redis-server was found: `apt-get install redis-server` on Debian and Ubuntu, `brew install redis` on macOS, or say its path in REDIS_SERVER";
