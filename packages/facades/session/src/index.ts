/**
 * The session store: a facade guest, and what a host has to know of it.
 *
 * @packageDocumentation
 */
export * from "./gen/dropthrough/session/v1/session_pb.ts";

/** The guest, as it stands in `guests` of a host: `{ ...sessionGuest, name: "sessions" }` under another name. */
export const sessionGuest: {
  readonly name: string;
  readonly module: URL;
  readonly exports: readonly string[];
  readonly grants: readonly string[];
} = {
  name: "session",
  module: new URL("../build/session.wasm", import.meta.url),
  exports: ["dropthrough.session.v1.SessionService"],
  grants: [
    "dropthrough.redis.v1.RedisService/Open",
    "dropthrough.redis.v1.RedisService/Get",
    "dropthrough.redis.v1.RedisService/Set",
    "dropthrough.redis.v1.RedisService/Delete",
    "dropthrough.redis.v1.RedisService/Expire",
    "dropthrough.redis.v1.RedisService/Scan",
    "dropthrough.log.v1.LogService/Write",
  ],
};
