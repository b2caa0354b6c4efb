import { type Stats, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { Backend } from "@dropthrough/dispatch";
import type { HostOptions } from "@dropthrough/host";
import { loadConfig as loadWithC12 } from "c12";
import { checkBackend, firstLine, importBackends } from "./backend-packages.ts";
import { ConfigError } from "./config-error.ts";
import { checkShape } from "./config-shape.ts";

/**
 * A deployment, as `dropthrough.config.ts` exports it. Relative paths of modules are relative to the file.
 *
 * In a file that is data only, `backends` are the options of each by the name of its package:
 * `{ "@dropthrough/log": { "level": "info" } }`.
 */
export type Config = Omit<HostOptions, "onExit" | "onIncident">;

/** Types a configuration; answers it as it is. */
export function defineConfig(config: Config): Config {
  return config;
}

/**
 * Loads a configuration: TypeScript, JavaScript, JSON, YAML or TOML.
 *
 * @param file a file; or a folder, whose `dropthrough.config.*` is taken
 * @throws ConfigError if there is none, it cannot be read, or it is no configuration
 */
export async function loadConfig(file = "."): Promise<Config> {
  const path = resolve(file);
  const stat = statOf(path, file);
  if (stat === undefined) {
    throw new ConfigError(
      `${file} does not exist: name a configuration file, or a folder with a dropthrough.config.ts`,
    );
  }
  const isFile = !stat.isDirectory();
  const cwd = isFile ? dirname(path) : path;
  let loaded;
  try {
    loaded = await loadWithC12<Record<string, unknown>>({
      cwd,
      name: "dropthrough",
      configFile: isFile ? path : "dropthrough.config",
      configFileRequired: true,
      // One file is the whole configuration: nothing comes from the environment, the home folder or the network.
      rcFile: false,
      globalRc: false,
      packageJson: false,
      envName: false,
      extend: false,
      giget: false,
      // Node's own import, so that the configuration shares its packages with us and not a second copy of each.
      jitiOptions: { tryNative: true },
      // The default one drops what is null, and with it a backend without options.
      merger: (...sources) =>
        sources.find((source) => source !== undefined && source !== null) ?? {},
    });
  } catch (cause) {
    throw new ConfigError(
      isFile
        ? `${file} cannot be used: ${reasonOf(cause)}`
        : `there is no usable dropthrough.config.* in ${file}: ${reasonOf(cause)}`,
      { cause },
    );
  }
  const config: unknown = loaded.config;
  const name = isFile ? file : (loaded.configFile ?? file);
  checkShape(config, name);
  const { backends = [], guests = [], ...rest } = config;
  return {
    ...rest,
    backends: isList(backends)
      ? backends.map((backend, at) => inList(backend, at, name))
      : await importBackends(backends, cwd),
    guests: guests.map((guest) => ({
      ...guest,
      module: typeof guest.module === "string" ? resolve(cwd, guest.module) : guest.module,
    })),
  };
}

/** What the library has to say of a file that holds nothing is about its own inside. */
function reasonOf(cause: unknown): string {
  const reason = firstLine(cause).trim();
  if (reason.includes("$meta")) return "it is empty: write backends and guests";
  // Of a syntax error, line and column stand in the second line.
  const place = /^.+\.\w+:(\d+:\d+)$/m.exec(cause instanceof Error ? cause.message : "")?.[1];
  return place === undefined ? reason : `${reason} (${place})`;
}

/** Undefined if there is nothing. */
function statOf(path: string, file: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (cause) {
    throw new ConfigError(`${file} cannot be used: ${firstLine(cause)}`, { cause });
  }
}

function isList(value: object): value is readonly unknown[] {
  return Array.isArray(value);
}

function inList(backend: unknown, at: number, file: string): Backend {
  try {
    return checkBackend(backend);
  } catch (cause) {
    throw new ConfigError(`${file}: "backends[${at}]": ${firstLine(cause)}`, { cause });
  }
}
