import type { PerCaller } from "@dropthrough/dispatch";
import type { CallerState } from "./caller-state.ts";
import { own } from "./commands/arguments.ts";
import { whenDone } from "./connection.ts";
import { invalid } from "./redis-error.ts";
import { DEFAULT_REDIS_LIMITS } from "./redis-limits.ts";
import { integer } from "./reply.ts";
import type { Calls } from "./service.ts";
import { Subscription } from "./subscription.ts";

const { channels: MOST_CHANNELS, messages: MOST_MESSAGES } = DEFAULT_REDIS_LIMITS;
const MOST_WAIT_MS = 60_000;
const utf8 = new TextDecoder("utf-8", { fatal: true });

/** Saying and hearing. */
export function publishCalls(state: PerCaller<CallerState>): Calls {
  return {
    publish({ connectionId, channel, message }, context) {
      const caller = state.of(context);
      const opened = caller.connection(connectionId);
      const { keys } = opened;
      const args = ["PUBLISH", keys.key(channel), own(message)];
      return caller.send(opened, { args }, context, (reply) => ({ receivers: integer(reply) }));
    },

    subscribe({ connectionId, channels, patterns, buffer }, context) {
      const caller = state.of(context);
      const { subscriptions } = caller;
      const { connection, keys } = caller.connection(connectionId);
      const count = channels.length + patterns.length;
      if (count === 0 || count > MOST_CHANNELS) {
        throw invalid(`${count} channels and patterns: 1 to 256 can be listened to`);
      }
      checkMost(buffer, MOST_MESSAGES, "buffer");
      for (const name of [...channels, ...patterns]) checkText(name);
      const subscription = new Subscription(buffer === 0 ? 1_024 : buffer, keys);
      const wanted = {
        channels: channels.map((channel) => keys.bytes(channel)),
        patterns: patterns.map((pattern) => keys.pattern(pattern)),
      };
      const opened = subscriptions.open(() =>
        whenDone(connection.subscribe(wanted, subscription, context), (source) => {
          subscription.source = source;
          return subscription;
        }),
      );
      return whenDone(opened, (subscriptionId) => ({ subscriptionId }));
    },

    poll({ subscriptionId, most, waitMs }, context) {
      const subscription = state.of(context).subscriptions.get(subscriptionId);
      checkMost(most, MOST_MESSAGES, "most");
      checkMost(waitMs, MOST_WAIT_MS, "wait_ms");
      return subscription.poll(most === 0 ? 256 : most, waitMs, context);
    },

    async unsubscribe({ subscriptionId }, context) {
      await state.of(context).subscriptions.take(subscriptionId)[Symbol.asyncDispose]();
      return {};
    },
  };
}

function checkMost(value: number, most: number, what: string): void {
  if (value > most) throw invalid(`${what} is ${value}: ${most} is the most`);
}

function checkText(name: Uint8Array): void {
  try {
    utf8.decode(name);
  } catch {
    throw invalid("a channel or pattern to listen to must be UTF-8");
  }
}
