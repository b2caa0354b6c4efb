import type { DescMethodUnary, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import { Code, ConnectError, type HandlerContext, type ServiceImpl } from "@connectrpc/connect";
import { type Caller, callerOf, type PerCaller, perCaller } from "@dropthrough/dispatch";
import { CallerState, type OpenConnection } from "./caller-state.ts";
import type { CommandSpec } from "./command.ts";
import { commands } from "./commands/index.ts";
import { type CallContext, type Connection, type Now, whenDone } from "./connection.ts";
import { executeCalls } from "./execute.ts";
import type { RedisService } from "./gen/dropthrough/redis/v1/redis_pb.ts";
import type { GuestUrls } from "./guest-urls.ts";
import { Keyspace } from "./keyspace.ts";
import { pipelineCalls } from "./pipeline.ts";
import { publishCalls } from "./publish.ts";
import { invalid } from "./redis-error.ts";
import { DEFAULT_REDIS_LIMITS } from "./redis-limits.ts";
import { scriptCalls } from "./script-calls.ts";

/** What the service needs of its options. */
export interface ServiceInit {
  /** The roads by name, each made when it is first asked for. */
  readonly connect: (name: string) => Connection | undefined;
  readonly names: readonly string[];
  /** For servers that guests name by themselves. */
  readonly guestUrls: GuestUrls;
  readonly prefix: string;
  readonly isolate: boolean;
  readonly scripts: Readonly<Record<string, string>>;
  readonly guestScripts: boolean;
  readonly execute: readonly string[];
}

/** Some of what RedisService answers. */
export type Calls = Partial<ServiceImpl<typeof RedisService>>;

/** What RedisService answers: the commands, and the calls that are more than one. */
export function serviceOf(init: ServiceInit): Calls {
  const state = perCaller(
    (caller) => new CallerState(() => named("default", keysOf(caller, init), init)),
  );
  return {
    ...commandCalls(state),
    ...connectionCalls(state, init),
    ...pipelineCalls(state),
    ...scriptCalls(state, init),
    ...executeCalls(state, init.execute),
    ...publishCalls(state),
  };
}

function commandCalls(state: PerCaller<CallerState>): Calls {
  const answer =
    <M extends DescMethodUnary>({ write, read }: CommandSpec<M>) =>
    (
      request: MessageShape<M["input"]> & { readonly connectionId: string },
      context: HandlerContext,
    ): Now<MessageInitShape<M["output"]>> => {
      const own = state.of(context);
      const opened = own.connection(request.connectionId);
      const { keys } = opened;
      return own.send(opened, write(request, keys), context, (reply) => read(reply, request, keys));
    };
  const specs = Object.entries<CommandSpec>(commands as unknown as Record<string, CommandSpec>);
  return Object.fromEntries(specs.map(([name, spec]) => [name, answer(spec)])) as Calls;
}

function connectionCalls(state: PerCaller<CallerState>, init: ServiceInit): Calls {
  return {
    open({ name, url, prefix }, context) {
      const own = state.of(context);
      own.connections.checkRoom();
      const caller = callerOf(context);
      const keys = keysOf(caller, init, prefix);
      if (url !== "") {
        if (name !== "") throw invalid("a connection has a name or a URL, not both");
        return openUrl(url, caller, own, init, keys, context);
      }
      const opened = named(name === "" ? "default" : name, keys, init);
      return whenDone(opened.connection.ready(context), () => ({
        connectionId: own.connections.add(opened),
      }));
    },
    close({ connectionId }, context) {
      const closed = state.of(context).connections.take(connectionId)[Symbol.asyncDispose]?.();
      return closed === undefined ? {} : Promise.resolve(closed).then(() => ({}));
    },
    ping({ connectionId }, context) {
      const own = state.of(context);
      return own.send(own.connection(connectionId), { args: ["PING"] }, context, () => ({}));
    },
  };
}

/** A connection that the operator named. @throws ConnectError NOT_FOUND */
function named(name: string, keys: Keyspace, init: ServiceInit): OpenConnection {
  const connection = init.connect(name);
  if (connection !== undefined) return { connection, keys };
  throw new ConnectError(
    `the operator named no connection "${name}": there are ${init.names.join(", ")}`,
    Code.NotFound,
  );
}

/** A connection to a server that the guest itself names. It has it alone, and closes it. */
async function openUrl(
  url: string,
  caller: Caller,
  own: CallerState,
  { guestUrls }: ServiceInit,
  keys: Keyspace,
  context: CallContext,
): Promise<{ connectionId: string }> {
  const connection = guestUrls.connect(caller.name, url, own.urls.size);
  const opened: OpenConnection = {
    connection,
    keys,
    async [Symbol.asyncDispose]() {
      own.urls.delete(opened);
      await guestUrls.close(connection);
    },
  };
  own.urls.add(opened);
  try {
    await connection.ready(context);
    return { connectionId: own.connections.add(opened) };
  } catch (error) {
    await opened[Symbol.asyncDispose]?.();
    throw error;
  }
}

const NONE = new Uint8Array();

/** @throws ConnectError INVALID_ARGUMENT */
function keysOf(
  caller: Caller,
  { prefix, isolate }: ServiceInit,
  more: Uint8Array = NONE,
): Keyspace {
  const { prefix: most } = DEFAULT_REDIS_LIMITS;
  if (more.length > most)
    throw invalid(`a prefix of ${more.length} bytes is above the ${most} that it may have`);
  return new Keyspace(prefix, isolate ? caller.name : undefined, more);
}
