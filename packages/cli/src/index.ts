/**
 * Runs, checks, draws and inspects Dropthrough deployments, and reads their logs. The command is `dropthrough`; this is what it is made of.
 *
 * @packageDocumentation
 */
export { check, type Finding } from "./check.ts";
export { type Config, defineConfig, loadConfig } from "./config.ts";
export { ConfigError } from "./config-error.ts";
export { graph, type GraphOptions } from "./graph.ts";
export { inspect, type Inspection } from "./inspect.ts";
export { logs, type LogsOptions } from "./logs.ts";
export { run, type RunOptions } from "./run.ts";
export { traceTo } from "./trace.ts";
