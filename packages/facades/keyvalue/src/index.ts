/**
 * Keys and values: a facade guest that passes everything on to Redis, and what a host has to know of it.
 *
 * @packageDocumentation
 */
export * from "./gen/dropthrough/keyvalue/v1/keyvalue_pb.ts";

/** The guest, as it stands in `guests` of a host: `{ ...keyValueGuest, name: "settings" }` under another name. */
export const keyValueGuest: {
  readonly name: string;
  readonly module: URL;
  readonly exports: readonly string[];
  readonly grants: readonly string[];
} = {
  name: "keyvalue",
  module: new URL("../build/keyvalue.wasm", import.meta.url),
  exports: ["dropthrough.keyvalue.v1.KeyValueService"],
  grants: [
    "dropthrough.redis.v1.RedisService/Get",
    "dropthrough.redis.v1.RedisService/Set",
    "dropthrough.redis.v1.RedisService/Delete",
    "dropthrough.redis.v1.RedisService/Exists",
    "dropthrough.redis.v1.RedisService/Increment",
    "dropthrough.redis.v1.RedisService/CompareAndSet",
    "dropthrough.redis.v1.RedisService/Expire",
    "dropthrough.redis.v1.RedisService/TimeToLive",
  ],
};
