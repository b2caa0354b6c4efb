import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { Backend } from "@dropthrough/dispatch";
import type { GuestConfig, HostOptions } from "@dropthrough/host";
import { loadConfig as loadWithC12 } from "c12";

/** A deployment, as `dropthrough.config.ts` exports it. Relative paths of modules are relative to the file. */
export interface Config extends Omit<HostOptions, "observers" | "onExit" | "onIncident"> {
  /**
   * Backends; or, in a file that is data only, the options of each by the name of its package:
   * `{ "@dropthrough/log": { "level": "info" } }`.
   */
  readonly backends?: readonly Backend[];
}

/** A configuration could not be used. The message says what to do. */
export class ConfigError extends Error {
  override name = "ConfigError";
}

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
  const isFile = /\.\w+$/.test(path) && existsSync(path);
  if (!existsSync(path))
    throw new ConfigError(
      `${file} does not exist: name a configuration file, or a folder with a dropthrough.config.ts`,
    );
  const cwd = isFile ? dirname(path) : path;
  let loaded;
  try {
    loaded = await loadWithC12<Record<string, unknown>>({
      cwd,
      name: "dropthrough",
      configFile: isFile ? path : "dropthrough.config",
      rcFile: false,
      globalRc: false,
      packageJson: false,
      envName: false,
      configFileRequired: true,
    });
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new ConfigError(
      isFile
        ? `${file} cannot be used: ${message}`
        : `there is no usable dropthrough.config.* in ${file}: ${message}`,
      { cause },
    );
  }
  return checkConfig(loaded.config, cwd, loaded.configFile ?? path);
}

async function checkConfig(
  config: Record<string, unknown>,
  cwd: string,
  file: string,
): Promise<Config> {
  const known = ["backends", "guests", "limits", "interceptors", "clock"];
  for (const key of Object.keys(config)) {
    if (!known.includes(key))
      throw new ConfigError(`${file}: "${key}" is unknown; there is ${known.join(", ")}`);
  }
  const guests = (config["guests"] ?? []) as readonly GuestConfig[];
  if (!Array.isArray(guests)) throw new ConfigError(`${file}: "guests" must be a list`);
  for (const guest of guests) {
    if (typeof guest.name !== "string")
      throw new ConfigError(`${file}: every guest needs a "name"`);
    if (guest.module === undefined)
      throw new ConfigError(`${file}: the guest "${guest.name}" needs a "module"`);
  }
  const backends = config["backends"] ?? [];
  return {
    ...config,
    backends: Array.isArray(backends)
      ? (backends as Backend[])
      : await importBackends(backends, cwd),
    guests: guests.map((guest) => ({
      ...guest,
      module: typeof guest.module === "string" ? resolve(cwd, guest.module) : guest.module,
    })),
  };
}

/** Backends that are named by package: the factory has the name of the package without its scope. */
async function importBackends(backends: object, cwd: string): Promise<Backend[]> {
  const require = createRequire(resolve(cwd, "dropthrough.config"));
  return Promise.all(
    Object.entries(backends).map(async ([name, options]) => {
      let module: Record<string, unknown>;
      try {
        module = (await import(pathToFileURL(require.resolve(name)).href)) as Record<
          string,
          unknown
        >;
      } catch (cause) {
        throw new ConfigError(
          `the backend ${name} cannot be loaded: install it beside the configuration (npm install ${name})`,
          { cause },
        );
      }
      const factory = module[name.slice(name.lastIndexOf("/") + 1)] ?? module["default"];
      if (typeof factory !== "function")
        throw new ConfigError(`${name} exports no factory: it is no backend package`);
      return (factory as (options: unknown) => Backend)(options);
    }),
  );
}
