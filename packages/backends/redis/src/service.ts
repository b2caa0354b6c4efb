import type { DescMethodUnary, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import { Code, ConnectError, type HandlerContext, type ServiceImpl } from "@connectrpc/connect";
import { callerOf, perCaller } from "@dropthrough/dispatch";
import type { CommandSpec } from "./command.ts";
import { commands } from "./commands/index.ts";
import type { Connection, Reply } from "./connection.ts";
import { Connections } from "./connections.ts";
import type { RedisService } from "./gen/dropthrough/redis/v1/redis_pb.ts";
import { Keyspace } from "./keyspace.ts";

/** What the service needs of its options. */
export interface ServiceInit {
  /** The roads by name, each made when it is first asked for. */
  readonly connect: (name: string) => Connection | undefined;
  readonly names: readonly string[];
  readonly prefix: string;
  readonly isolate: boolean;
}

type Impl = Partial<ServiceImpl<typeof RedisService>>;
type WithConnection = { readonly connectionId: string };

/** What RedisService answers: the few calls that are no command, and all that are. */
export function serviceOf(init: ServiceInit): Impl {
  const connections = perCaller(() => new Connections());

  const answer =
    <M extends DescMethodUnary>({ write, read }: CommandSpec<M>) =>
    (
      request: MessageShape<M["input"]> & WithConnection,
      context: HandlerContext,
    ): MessageInitShape<M["output"]> | Promise<MessageInitShape<M["output"]>> => {
      const { connection, keys } = connections.of(context).get(request.connectionId);
      const reply = connection.send(write(request, keys), context);
      if (isPromise(reply)) return reply.then((settled) => read(settled, request, keys));
      return read(reply, request, keys);
    };

  const impl: Record<string, unknown> = {};
  for (const [name, spec] of Object.entries(commands)) impl[name] = answer(spec as CommandSpec);

  const own: Impl = {
    open({ name }, context) {
      const connection = init.connect(name === "" ? "default" : name);
      if (connection === undefined) {
        throw new ConnectError(
          `the operator named no connection "${name}": there are ${init.names.join(", ")}`,
          Code.NotFound,
        );
      }
      const keys = new Keyspace(init.prefix, init.isolate ? callerOf(context).name : undefined);
      const opened = (): { connectionId: string } => ({
        connectionId: connections.of(context).add({ connection, keys }),
      });
      const ready = connection.ready(context);
      return isPromise(ready) ? ready.then(opened) : opened();
    },
    close({ connectionId }, context) {
      connections.of(context).close(connectionId);
      return {};
    },
    ping({ connectionId }, context) {
      const { connection } = connections.of(context).get(connectionId);
      const pong = connection.send({ args: ["PING"] }, context);
      return isPromise(pong) ? pong.then(() => ({})) : {};
    },
  };
  return { ...(impl as Impl), ...own };
}

function isPromise<T extends Reply | void>(value: T | Promise<T>): value is Promise<T> {
  return value instanceof Promise;
}
