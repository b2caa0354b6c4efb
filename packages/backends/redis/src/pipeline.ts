import type { Message, MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { type PerCaller, RetryInfoSchema } from "@dropthrough/dispatch";
import type { CallerState, OpenWatch } from "./caller-state.ts";
import type { CommandSpec } from "./command.ts";
import { commands as specs } from "./commands/index.ts";
import { some } from "./commands/arguments.ts";
import { type Command, type Now, type Reply, whenDone } from "./connection.ts";
import type {
  PipelineCommand,
  PipelineResultSchema,
} from "./gen/dropthrough/redis/v1/pipeline_pb.ts";
import type { Keyspace } from "./keyspace.ts";
import { fromReply, invalid, tooMany } from "./redis-error.ts";
import type { Calls } from "./service.ts";

const MOST = 10_000;

type Result = MessageInitShape<typeof PipelineResultSchema>;
/** One command, and how its reply becomes its result. */
interface Step {
  readonly command: () => Command;
  readonly result: (reply: Reply) => Result;
}

/** Many commands in one call: one by one, or in one go. */
export function pipelineCalls(state: PerCaller<CallerState>): Calls {
  return {
    pipeline({ connectionId, commands }, context) {
      const { connection, keys } = state.of(context).connections.get(connectionId);
      const results = stepsOf(commands, keys).map(({ command, result }): Now<Result> => {
        try {
          const reply = connection.send(command(), context);
          return reply instanceof Promise ? reply.then(result).catch(failure) : result(reply);
        } catch (error) {
          return failure(error);
        }
      });
      if (!results.some((result) => result instanceof Promise)) {
        return { results: results as Result[] };
      }
      return Promise.all(results.map(async (result) => result)).then((settled) => ({
        results: settled,
      }));
    },

    transaction({ connectionId, commands, watchId }, context) {
      const own = state.of(context);
      const opened = own.connections.get(connectionId);
      const steps = stepsOf(commands, opened.keys);
      // Nothing is sent if one of them makes no sense, and a watch stays open.
      const written = steps.map(({ command }) => command());
      const answer = (replies: readonly Reply[]): { results: Result[] } => ({
        results: steps.map(({ result }, i) => resultOf(result, replies[i])),
      });
      if (watchId === "") return whenDone(opened.connection.transaction(written, context), answer);
      const { watch, connection } = own.watches.get(watchId);
      if (connection !== opened) throw invalid("the watch belongs to another connection");
      own.watches.take(watchId);
      return whenDone(watch.transaction(written, context), (replies) => {
        if (replies !== undefined) return answer(replies);
        throw new ConnectError("a watched key has changed: nothing was done", Code.Aborted);
      });
    },

    watch({ connectionId, keys: watched }, context) {
      const { watches, connections } = state.of(context);
      const connection = connections.get(connectionId);
      watches.checkRoom();
      const keys = connection.keys.keys(some(watched, "key"));
      return whenDone(connection.connection.watch(keys, context), (watch) => {
        const open: OpenWatch = {
          watch,
          connection,
          [Symbol.asyncDispose]: () => watch[Symbol.asyncDispose](),
        };
        return { watchId: watches.add(open) };
      });
    },

    async unwatch({ watchId }, context) {
      await state.of(context).watches.take(watchId)[Symbol.asyncDispose]();
      return {};
    },
  };
}

function stepsOf(commands: readonly PipelineCommand[], keys: Keyspace): Step[] {
  if (commands.length > MOST) {
    throw tooMany(`${commands.length} commands are above the limit of 10,000: send less`, 1);
  }
  return commands.map(({ command: { case: name, value } }) => {
    if (name === undefined) throw invalid("a command of the pipeline is empty");
    // Which request belongs to which response is what the names say; see commands/.
    const { write, read } = specs[name] as unknown as CommandSpec;
    const request: Message = value;
    return {
      command: () => write(request, keys),
      result: (reply) => ({ result: { case: name, value: read(reply, request, keys) } }) as Result,
    };
  });
}

function resultOf(result: Step["result"], reply: Reply | undefined): Result {
  try {
    if (reply instanceof Error) throw fromReply(reply);
    return result(reply ?? null);
  } catch (error) {
    return failure(error);
  }
}

function failure(error: unknown): Result {
  if (!(error instanceof ConnectError)) throw error;
  const [retry] = error.findDetails(RetryInfoSchema);
  const { seconds = 0n, nanos = 0 } = retry?.retryDelay ?? {};
  const retryAfterMs = seconds * 1000n + BigInt(Math.round(nanos / 1e6));
  const { code, rawMessage: message } = error;
  return { result: { case: "failure", value: { code, message, retryAfterMs } } };
}
