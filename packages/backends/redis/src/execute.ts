import { Code, ConnectError } from "@connectrpc/connect";
import type { PerCaller } from "@dropthrough/dispatch";
import type { CallerState } from "./caller-state.ts";
import { own } from "./commands/arguments.ts";
import type { Argument } from "./connection.ts";
import { checkListed, keyPlaces, MAPS } from "./execute-table.ts";
import type { Keyspace } from "./keyspace.ts";
import { invalid } from "./redis-error.ts";
import type { Calls } from "./service.ts";
import { toMap, toValue } from "./value.ts";

const NAME = /^[\w.-]+( [\w.-]+)?$/;

/**
 * Commands that the operator lists.
 *
 * @throws TypeError for a listed command that would disturb those who share the connection
 */
export function executeCalls(state: PerCaller<CallerState>, listed: readonly string[]): Calls {
  const allowed = new Set(listed.map((name) => name.toUpperCase()));
  checkListed(allowed);
  return {
    execute({ connectionId, command, arguments: rest }, context) {
      const caller = state.of(context);
      const opened = caller.connection(connectionId);
      const { keys } = opened;
      const name = command.toUpperCase();
      if (!NAME.test(name)) throw invalid(`"${command.slice(0, 64)}" is no name of a command`);
      const [first = ""] = name.split(" ");
      if (!allowed.has(name) && !allowed.has(first)) {
        throw new ConnectError(
          `${name} is not listed: ask the operator to put it into \`execute\``,
          Code.PermissionDenied,
        );
      }
      if (first.startsWith("XREAD") && rest.some((arg) => /^block$/i.test(String(own(arg))))) {
        throw invalid("BLOCK would keep others waiting, who share the connection");
      }
      const words = keys.isolated ? withPrefix(name, rest, keys) : rest.map(own);
      const convert = MAPS.has(first) ? toMap : toValue;
      const args = [...name.split(" "), ...words];
      return caller.send(opened, { args, exact: true }, context, (reply) => ({
        reply: convert(reply),
      }));
    },
  };
}

/** The arguments, those that are keys with their prefix. Where that is not known for certain, nothing is sent. */
function withPrefix(name: string, args: readonly Uint8Array[], keys: Keyspace): Argument[] {
  const places = keyPlaces(name);
  if (places === undefined) {
    throw new ConnectError(
      `where ${name} has its keys is not known, and this guest has keys of its own`,
      Code.FailedPrecondition,
    );
  }
  const [start, end] = places;
  const last = end < 0 ? args.length + end : end;
  return args.map((arg, i) => (i >= start && i <= last ? keys.key(arg) : own(arg)));
}
