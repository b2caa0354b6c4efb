import type { DescMethodUnary, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import type { Command, Reply } from "./connection.ts";
import type { RedisService } from "./gen/dropthrough/redis/v1/redis_pb.ts";
import type { Keyspace } from "./keyspace.ts";

type Methods = typeof RedisService.method;

/** How one rpc is said to Redis: the command that its request means, and the response that its reply means. */
export interface CommandSpec<M extends DescMethodUnary = DescMethodUnary> {
  /** @throws ConnectError INVALID_ARGUMENT, RESOURCE_EXHAUSTED as redis.proto says */
  readonly write: (request: MessageShape<M["input"]>, keys: Keyspace) => Command;
  /** The bytes of `request` may be gone by now; the rest of it is there. */
  readonly read: (
    reply: Reply,
    request: MessageShape<M["input"]>,
    keys: Keyspace,
  ) => MessageInitShape<M["output"]>;
}

/** The rpcs that are one command each, by name. */
export type CommandSpecs<Names extends keyof Methods> = {
  readonly [Name in Names]: CommandSpec<Methods[Name]>;
};
