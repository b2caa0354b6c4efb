import type { CallObserver } from "./call.ts";
import type { RegistryOptions } from "./registry.ts";

/** What a registry is told that can only come from a program; its types are not there at run time. */
export interface ProgramOptions {
  readonly interceptors?: RegistryOptions["interceptors"];
  readonly observers?: readonly CallObserver[] | undefined;
  readonly codec?: RegistryOptions["codec"];
  readonly clock?: RegistryOptions["clock"];
}

const OBSERVES = ["started", "ended", "refused"];
const CLOCK = ["now", "after"];
const SCHEDULER = ["soon", "settled"];

/**
 * Checks the shape of what would else fail at the first call.
 *
 * @throws TypeError with one sentence that names what is wrong
 */
export function checkOptions({ interceptors, observers, codec, clock }: ProgramOptions): void {
  for (const [at, interceptor] of listOf("interceptors", interceptors).entries()) {
    if (typeof interceptor !== "function")
      refuse(`interceptors[${at}]`, "must be a function, (next) => (request) => response");
  }
  for (const [at, observer] of listOf("observers", observers).entries())
    checkObserver(observer, `observers[${at}]`);
  if (codec !== undefined) checkCodec(codec);
  if (clock !== undefined) checkClock(clock);
}

/** @throws TypeError if it observes nothing, or not by functions */
export function checkObserver(observer: unknown, name: string): void {
  if (!isObject(observer) || OBSERVES.every((key) => observer[key] === undefined))
    refuse(name, `must be an object with some of ${OBSERVES.join(", ")}`);
  for (const key of OBSERVES) checkFunction(name, observer, key, true);
}

function checkCodec(codec: unknown): void {
  if (!isObject(codec)) refuse("codec", "must be an object");
  if (codec["compile"] !== undefined && typeof codec["compile"] !== "boolean")
    refuse("codec.compile", "must be true or false");
}

function checkClock(clock: unknown): void {
  if (!isObject(clock)) refuse("clock", "must be an object");
  for (const key of CLOCK) checkFunction("clock", clock, key);
  checkFunction("clock", clock, "wall", true);
  if (SCHEDULER.some((key) => clock[key] !== undefined))
    for (const key of SCHEDULER) checkFunction("clock", clock, key);
}

function checkFunction(
  name: string,
  of: Readonly<Record<string, unknown>>,
  key: string,
  optional = false,
): void {
  if (typeof of[key] === "function" || (optional && of[key] === undefined)) return;
  refuse(`${name}.${key}`, "must be a function");
}

function listOf(name: string, value: readonly unknown[] | undefined): readonly unknown[] {
  if (value !== undefined && !Array.isArray(value)) refuse(name, "must be a list");
  return value ?? [];
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

function refuse(name: string, why: string): never {
  throw new TypeError(`"${name}" ${why}`);
}
