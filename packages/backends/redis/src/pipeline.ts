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
import { DEFAULT_REDIS_LIMITS } from "./redis-limits.ts";
import type { Calls } from "./service.ts";

const MOST = DEFAULT_REDIS_LIMITS.commands;

type Result = MessageInitShape<typeof PipelineResultSchema>;

/** One command: how it is said, and what its reply means. */
interface Step extends CommandSpec {
  readonly name: NonNullable<PipelineCommand["command"]["case"]>;
  readonly request: Message;
}

/** Many commands in one call: one by one, or in one go. */
export function pipelineCalls(state: PerCaller<CallerState>): Calls {
  return {
    pipeline({ connectionId, commands }, context) {
      const own = state.of(context);
      const { connection, keys } = own.connection(connectionId);
      const steps = stepsOf(commands);
      // One that makes no sense is not sent, and stops none of the others.
      const refused: Result[] = [];
      const sent: Command[] = [];
      for (const [index, { write, request }] of steps.entries()) {
        try {
          sent.push(write(request, keys));
        } catch (error) {
          refused[index] = failure(error);
        }
      }
      const replied = own.sendMany(sent.length, () => connection.pipeline(sent, context));
      return whenDone(replied, (replies) => {
        let next = 0;
        const results = steps.map(
          (step, index) => refused[index] ?? resultOf(step, replies[next++], keys),
        );
        return { results };
      });
    },

    transaction({ connectionId, commands, watchId }, context) {
      const own = state.of(context);
      const opened = own.connection(connectionId);
      const { keys } = opened;
      const steps = stepsOf(commands);
      // Nothing is sent if one of them makes no sense, and a watch stays open.
      const written = steps.map(({ write, request }) => write(request, keys));
      const answer = (replies: readonly Reply[]): { results: Result[] } => ({
        results: steps.map((step, index) => resultOf(step, replies[index], keys)),
      });
      if (watchId === "") {
        const send = (): Now<readonly Reply[]> => opened.connection.transaction(written, context);
        return whenDone(own.sendMany(written.length, send), answer);
      }
      const { watch, connection } = own.watches.get(watchId);
      if (connection !== opened) throw invalid("the watch belongs to another connection");
      own.watches.take(watchId);
      return whenDone(watch.transaction(written, context), (replies) => {
        if (replies !== undefined) return answer(replies);
        throw new ConnectError("a watched key has changed: nothing was done", Code.Aborted);
      });
    },

    watch({ connectionId, keys: watched }, context) {
      const own = state.of(context);
      const { watches } = own;
      const connection = own.connection(connectionId);
      const keys = connection.keys.keys(some(watched, "key"));
      const opened = watches.open(() =>
        whenDone(connection.connection.watch(keys, context), (watch): OpenWatch => ({
          watch,
          connection,
          [Symbol.asyncDispose]: () => watch[Symbol.asyncDispose](),
        })),
      );
      return whenDone(opened, (watchId) => ({ watchId }));
    },

    async unwatch({ watchId }, context) {
      await state.of(context).watches.take(watchId)[Symbol.asyncDispose]();
      return {};
    },
  };
}

function stepsOf(commands: readonly PipelineCommand[]): Step[] {
  if (commands.length > MOST) {
    throw tooMany(`${commands.length} commands are above the limit of 10,000: send less`, 1);
  }
  return commands.map(({ command: { case: name, value: request } }) => {
    if (name === undefined) throw invalid("a command of the pipeline is empty");
    // Which request belongs to which response is what the names say; see commands/.
    const { write, read } = specs[name] as unknown as CommandSpec;
    return { name, request, write, read };
  });
}

function resultOf({ name, request, read }: Step, reply: Reply | undefined, keys: Keyspace): Result {
  try {
    if (reply instanceof Error) throw fromReply(reply);
    const value = read(reply ?? null, request, keys);
    return { result: { case: name, value } } as Result;
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
