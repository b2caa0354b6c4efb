import type { DescService } from "@bufbuild/protobuf";
import { checkOptions, similarName } from "@dropthrough/dispatch";
import { DEFAULT_DISPATCH_LIMITS } from "@dropthrough/dispatch";
import { checkInstances, DEFAULT_LIMITS, GuestError, type HostOptions } from "@dropthrough/host";
import * as v from "valibot";
import { ConfigError } from "./config-error.ts";

/*
 * A configuration comes from a file, often one without types. A misspelt key must not pass in silence: where it was meant
 * to be a limit, or the grants, that would be a hole.
 */

const text = v.string("must be a text");
const texts = v.array(text, "must be a list of texts");
const list = v.array(v.any(), "must be a list");
const descriptors = v.array(
  v.custom<DescService>(
    (it) => isObject(it) && it["kind"] === "service",
    "must be the descriptor of a service",
  ),
  "must be a list",
);
const object = v.custom<object>(isObject, "must be an object");

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

function whole(least: number): v.GenericSchema<number> {
  const message = `must be a whole number, ${least} or more`;
  return v.pipe(v.number(message), v.safeInteger(message), v.minValue(least, message));
}

const limits = v.strictObject(
  Object.fromEntries(Object.keys(DEFAULT_LIMITS).map((name) => [name, v.exactOptional(whole(0))])),
);
const guestLimits = v.strictObject(
  Object.fromEntries(
    Object.entries(limits.entries).filter(
      ([name]) => !Object.hasOwn(DEFAULT_DISPATCH_LIMITS, name),
    ),
  ),
);

const guest = v.strictObject({
  name: v.pipe(text, v.nonEmpty("must not be empty")),
  module: v.union(
    [v.pipe(v.string(), v.nonEmpty()), v.instance(URL), v.instance(Uint8Array)],
    "must be the path of a module",
  ),
  arguments: v.optional(texts),
  environment: v.optional(v.record(v.string(), text, "must be texts by name")),
  grants: v.optional(texts),
  exports: v.optional(texts),
  services: v.optional(descriptors),
  instances: v.optional(whole(1)),
  main: v.optional(v.boolean("must be true or false")),
  limits: v.optional(guestLimits),
});

const codec = v.strictObject({
  compile: v.exactOptional(v.boolean("must be true or false")),
});

const config = v.strictObject({
  backends: v.optional(
    v.union([list, v.record(v.string(), v.any())], "must be a list, or options by package name"),
  ),
  guests: v.optional(v.array(guest, "must be a list")),
  limits: v.optional(limits),
  interceptors: v.optional(list),
  observers: v.optional(list),
  codec: v.optional(codec),
  clock: v.optional(object),
});

/** The keys and types of a configuration, before its packages are imported and its paths resolved. */
export interface ConfigShape extends Omit<HostOptions, "backends"> {
  readonly backends?: readonly unknown[] | Readonly<Record<string, unknown>>;
}

/**
 * Checks the keys and types of a configuration.
 *
 * @param file where it comes from, for the message
 * @throws ConfigError for the first thing that is wrong
 */
export function checkShape(value: unknown, file: string): asserts value is ConfigShape {
  if (Array.isArray(value))
    throw new ConfigError(`${file}: a configuration is an object, not a list`);
  const { issues } = v.safeParse(config, value);
  if (issues !== undefined) {
    // A key that is misspelt is missing too, which says less.
    const issue = issues.find(isUnknown) ?? issues[0];
    throw new ConfigError(`${file}: ${sentence(issue)}`);
  }
  const shape = value as ConfigShape;
  try {
    checkOptions(shape);
    checkInstances(shape.guests ?? []);
  } catch (cause) {
    if (!(cause instanceof TypeError || cause instanceof GuestError)) throw cause;
    throw new ConfigError(`${file}: ${cause.message}`, { cause });
  }
}

function sentence(issue: v.BaseIssue<unknown>): string {
  const path = issue.path ?? [];
  const where = path
    .map(({ key }) => (typeof key === "number" ? `[${key}]` : `.${String(key)}`))
    .join("")
    .slice(path[0] !== undefined && typeof path[0].key === "number" ? 0 : 1);
  if (issue.type !== "strict_object")
    return where === "" ? issue.message : `"${where}" ${issue.message}`;
  // A missing key is told by its name in quotes.
  if (isUnknown(issue) && isForAll(path))
    return `"${where}" holds for all guests: set it in "limits"`;
  if (isUnknown(issue)) return `"${where}" is unknown; ${known(path)}`;
  if (issue.received === "undefined" && path.length > 0) return `"${where}" is missing: add it`;
  return where === "" ? "a configuration is an object" : `"${where}" must be an object`;
}

/** Valibot tells an unknown key by what it expected: never. */
function isUnknown(issue: v.BaseIssue<unknown>): boolean {
  return issue.type === "strict_object" && issue.expected === "never";
}

/** A limit of the registry, where a guest has its own. */
function isForAll(path: readonly v.IssuePathItem[]): boolean {
  const [parent, name] = path.slice(-2).map(({ key }) => String(key));
  return parent === "limits" && Object.hasOwn(DEFAULT_DISPATCH_LIMITS, name ?? "");
}

/** The keys that there are where an unknown one was found. */
function known(path: readonly v.IssuePathItem[]): string {
  const schema = schemaAt(path);
  const names = Object.keys(schema.entries);
  const similar = similarName(String(path.at(-1)?.key), names);
  return `there is ${names.join(", ")}${similar === undefined ? "" : `; did you mean ${similar}?`}`;
}

/** Of the object that a key stands in. */
function schemaAt(path: readonly v.IssuePathItem[]): { readonly entries: object } {
  const parent = path.at(-2)?.key;
  if (parent === undefined) return config;
  if (parent === "codec") return codec;
  if (parent === "limits") return path.length > 2 ? guestLimits : limits;
  return guest;
}
