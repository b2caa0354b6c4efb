/**
 * The Redis backend: a real server, or an engine inside the host.
 *
 * @packageDocumentation
 */
import {
  type Backend,
  checkKeys,
  checkBounds,
  type Clock,
  defineBackend,
  type Health,
} from "@dropthrough/dispatch";
import { RedisService } from "./gen/dropthrough/redis/v1/redis_pb.ts";
import { GuestUrls } from "./guest-urls.ts";
import { DEFAULT_REDIS_LIMITS } from "./redis-limits.ts";
import { type ConnectionAddress, Roads } from "./roads.ts";
import type { RedisTls } from "./server/address.ts";
import type { ServerLimits } from "./server/server-connection.ts";
import { serviceOf } from "./service.ts";

export * from "./gen/dropthrough/redis/v1/execute_pb.ts";
export * from "./gen/dropthrough/redis/v1/expiry_pb.ts";
export * from "./gen/dropthrough/redis/v1/hashes_pb.ts";
export * from "./gen/dropthrough/redis/v1/keys_pb.ts";
export * from "./gen/dropthrough/redis/v1/lists_pb.ts";
export * from "./gen/dropthrough/redis/v1/pipeline_pb.ts";
export * from "./gen/dropthrough/redis/v1/pubsub_pb.ts";
export * from "./gen/dropthrough/redis/v1/redis_pb.ts";
export * from "./gen/dropthrough/redis/v1/sets_pb.ts";
export * from "./gen/dropthrough/redis/v1/sorted_sets_pb.ts";
export * from "./gen/dropthrough/redis/v1/strings_pb.ts";
export * from "./gen/dropthrough/redis/v1/values_pb.ts";
export type { ConnectionAddress } from "./roads.ts";
export type { RedisTls } from "./server/address.ts";

/** Which Redis, and how much of it. */
export interface RedisOptions {
  /**
   * The connection called `default`: `redis://user:password@host:6379/0`, `rediss://…` for TLS, `unix:///path/to/socket`
   * or `embedded:`. Left out, it is the embedded engine, unless `connections` has a `default`.
   */
  readonly url?: string;
  /** True for the embedded engine, whatever `url` says. Default: whether there is no `url`. */
  readonly embedded?: boolean;
  /**
   * More connections by name: a URL, `{ cluster: [url, …] }` with some nodes of a cluster, or `{ sentinels: [url, …], url }`
   * with the name of a master as its host. A guest opens them by name, and never says a host.
   */
  readonly connections?: Readonly<Record<string, ConnectionAddress>>;
  /**
   * Servers that guests may name by themselves, by the guest: `{ "app.worker": ["rediss://*.cache.example:6379"] }`. A
   * pattern has a host, with `*.` before it for all below, and a port, or `*` for any. Default none.
   */
  readonly guestUrls?: Readonly<Record<string, readonly string[]>>;
  /** Certificates for `rediss:`, as for `tls.connect`. Default: those that Node trusts. */
  readonly tls?: RedisTls;
  /** Stands before every key of every guest; guests do not see it. Default none. */
  readonly prefix?: string;
  /** Gives each guest keys of its own, by its name after `prefix`. Default false: guests share their keys. */
  readonly isolate?: boolean;
  /** Scripts in Lua that guests may run by name. */
  readonly scripts?: Readonly<Record<string, string>>;
  /**
   * Whether guests may bring scripts of their own, which can touch every key. Default: true, unless there is a `prefix`
   * or `isolate` that such a script could reach around.
   */
  readonly guestScripts?: boolean;
  /** Commands that guests may use through Execute: `["PFADD", "OBJECT ENCODING"]`. Default none. */
  readonly execute?: readonly string[];
  /** Milliseconds that a connection may take to come up. Default 2,000. */
  readonly connectTimeoutMs?: number;
  /** Milliseconds of an outage in which commands wait for its end; later ones are UNAVAILABLE at once. Default 250. */
  readonly outageWaitMs?: number;
  /**
   * Whether a command that only reads is sent once more, when the connection that it was sent on was lost before it
   * answered. Default false. One that writes never is: it may have been done.
   */
  readonly replayReads?: boolean;
  /**
   * Milliseconds without any byte of a server, or of one node of a cluster, that owes an answer, after which its connection
   * counts as lost. One that is only listened to is asked for an answer as often. Default 10,000.
   */
  readonly stallTimeoutMs?: number;
  /** Commands that one connection may have under way, of all guests, to all nodes of a cluster together. Default 25,000. */
  readonly maxInFlight?: number;
  /** Bytes that one reply may take; a larger one is read, thrown away and RESOURCE_EXHAUSTED. Default 64 MiB. */
  readonly maxReplyBytes?: number;
  /** Bytes that an embedded engine may take, about; what comes on top is RESOURCE_EXHAUSTED. Default 256 MiB. */
  readonly embeddedBytes?: number;
  /** The embedded engine's source of time, for expiry. Default the machine's. */
  readonly clock?: Clock;
}

/** The options that are bounds, as they are where nothing else is said. */
const BOUNDS = {
  connectTimeoutMs: 2_000,
  outageWaitMs: 250,
  stallTimeoutMs: 10_000,
  maxInFlight: 25_000,
  maxReplyBytes: 64 * 2 ** 20,
  embeddedBytes: 256 * 2 ** 20,
};

/** All options. What is misspelt must not be left out in silence: without its url, the embedded engine would answer. */
const OPTIONS = Object.keys({
  url: true,
  embedded: true,
  connections: true,
  guestUrls: true,
  tls: true,
  prefix: true,
  isolate: true,
  scripts: true,
  guestScripts: true,
  execute: true,
  connectTimeoutMs: true,
  outageWaitMs: true,
  replayReads: true,
  stallTimeoutMs: true,
  maxInFlight: true,
  maxReplyBytes: true,
  embeddedBytes: true,
  clock: true,
} satisfies Record<keyof RedisOptions, true>);

/**
 * Makes the Redis backend.
 *
 * @throws TypeError if an option does not exist, or is wrong
 */
export function redis(options: RedisOptions = {}): Backend<typeof RedisService> {
  checkKeys(options, OPTIONS, "redis: ");
  const { prefix = "", isolate = false } = options;
  const given = Object.entries(options).filter(([name]) => Object.hasOwn(BOUNDS, name));
  const bounds = checkBounds(BOUNDS, Object.fromEntries(given), "redis: ");
  const limits: ServerLimits = { ...bounds, replayReads: options.replayReads ?? false };
  const roads = new Roads({ ...options, embeddedBytes: bounds.embeddedBytes }, limits);
  const guestUrls = new GuestUrls(options.guestUrls ?? {}, limits, options.tls);
  return defineBackend({
    name: "redis",
    service: RedisService,
    // Every byte of a request is copied before anything is sent.
    borrows: true,
    maxFields: DEFAULT_REDIS_LIMITS.fields,
    maxFieldsOf: { sortedSetIncrement: 4 * DEFAULT_REDIS_LIMITS.increments },
    impl: serviceOf({
      connect: (name) => roads.get(name),
      names: roads.names,
      guestUrls,
      prefix,
      isolate,
      scripts: options.scripts ?? {},
      guestScripts: options.guestScripts ?? (prefix === "" && !isolate),
      execute: options.execute ?? [],
    }),
    async health(): Promise<Health> {
      const [own, named] = await Promise.all([roads.health(), guestUrls.health()]);
      return { ok: own.ok, message: [own.message, ...named].join("; ") };
    },
    async [Symbol.asyncDispose]() {
      await guestUrls[Symbol.asyncDispose]();
      await roads[Symbol.asyncDispose]();
    },
  });
}
