import type { DescMethodUnary, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import { Code, ConnectError, type HandlerContext, type ServiceImpl } from "@connectrpc/connect";
import { callerOf, type PerCaller, perCaller } from "@dropthrough/dispatch";
import { CallerState } from "./caller-state.ts";
import type { CommandSpec } from "./command.ts";
import { commands } from "./commands/index.ts";
import { type Connection, type Now, whenDone } from "./connection.ts";
import { executeCalls } from "./execute.ts";
import type { RedisService } from "./gen/dropthrough/redis/v1/redis_pb.ts";
import { Keyspace } from "./keyspace.ts";
import { pipelineCalls } from "./pipeline.ts";
import { publishCalls } from "./publish.ts";
import { scriptCalls } from "./script-calls.ts";

/** What the service needs of its options. */
export interface ServiceInit {
  /** The roads by name, each made when it is first asked for. */
  readonly connect: (name: string) => Connection | undefined;
  readonly names: readonly string[];
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
  const state = perCaller(() => new CallerState());
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
      const { connection, keys } = state.of(context).connections.get(request.connectionId);
      return connection.send(write(request, keys), context, (reply) => read(reply, request, keys));
    };
  const specs = Object.entries<CommandSpec>(commands as unknown as Record<string, CommandSpec>);
  return Object.fromEntries(specs.map(([name, spec]) => [name, answer(spec)])) as Calls;
}

function connectionCalls(state: PerCaller<CallerState>, init: ServiceInit): Calls {
  return {
    open({ name }, context) {
      const { connections } = state.of(context);
      connections.checkRoom();
      const connection = init.connect(name === "" ? "default" : name);
      if (connection === undefined) {
        throw new ConnectError(
          `the operator named no connection "${name}": there are ${init.names.join(", ")}`,
          Code.NotFound,
        );
      }
      const keys = new Keyspace(init.prefix, init.isolate ? callerOf(context).name : undefined);
      return whenDone(connection.ready(context), () => ({
        connectionId: connections.add({ connection, keys }),
      }));
    },
    close({ connectionId }, context) {
      state.of(context).connections.take(connectionId);
      return {};
    },
    ping({ connectionId }, context) {
      const { connection } = state.of(context).connections.get(connectionId);
      return connection.send({ args: ["PING"] }, context, () => ({}));
    },
  };
}
