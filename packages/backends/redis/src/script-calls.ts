import { Code, ConnectError } from "@connectrpc/connect";
import type { PerCaller } from "@dropthrough/dispatch";
import type { CallerState } from "./caller-state.ts";
import { own } from "./commands/arguments.ts";
import type { EvalRequest } from "./gen/dropthrough/redis/v1/execute_pb.ts";
import { invalid, ReplyError } from "./redis-error.ts";
import { defineScript, type Script } from "./script.ts";
import type { Calls } from "./service.ts";
import { toValue } from "./value.ts";

/** Which scripts guests may run. */
export interface ScriptOptions {
  /** The operator's, by name. */
  readonly scripts: Readonly<Record<string, string>>;
  /** Whether guests may bring their own: a script can touch every key, whatever it says. */
  readonly guestScripts: boolean;
}

/** Scripts: the operator's, and those of guests if they may. */
export function scriptCalls(state: PerCaller<CallerState>, options: ScriptOptions): Calls {
  const named = new Map(Object.entries(options.scripts).map(([name, text]) => [name, lua(text)]));
  const scriptOf = (choice: EvalRequest["script"]): Script => {
    if (choice.case === "name") {
      const script = named.get(choice.value);
      if (script !== undefined) return script;
      const message = `the operator gave no script "${choice.value}"`;
      throw new ConnectError(message, Code.NotFound);
    }
    if (choice.case !== "source") throw invalid("say which script: name or source");
    if (options.guestScripts) return lua(choice.value);
    throw new ConnectError(
      "scripts of guests are not allowed: ask the operator to name it in `scripts`",
      Code.PermissionDenied,
    );
  };
  return {
    eval({ connectionId, script: choice, keys: touched, arguments: rest }, context) {
      const caller = state.of(context);
      const opened = caller.connection(connectionId);
      const { keys } = opened;
      const script = scriptOf(choice);
      const words = [...keys.keys(touched), ...rest.map(own)];
      const args = ["EVALSHA", script.sha, String(touched.length), ...words];
      return caller.send(opened, { args, script, exact: true }, context, (reply) => ({
        reply: toValue(reply),
      }));
    },
  };
}

function lua(source: string): Script {
  return defineScript(source, () => {
    throw new ReplyError("ERR unknown command 'EVAL': the embedded engine has no Lua");
  });
}
