import { createRequire } from "node:module";
import type Slots from "@redis/client/dist/lib/utils/calculate-slot.js";
import type * as Parsers from "@redis/client/dist/lib/client/parser.js";
import type * as Policies from "@redis/client/dist/lib/cluster/request-response-policies/dispatch.js";
import type * as Splitters from "@redis/client/dist/lib/cluster/request-response-policies/multi-shard-splitter.js";
import type * as Metadata from "@redis/client/dist/lib/command-metadata/index.js";
import type { Argument, Command, Reply } from "../connection.ts";
import { ReplyError } from "../redis-error.ts";
import { firstKey } from "./first-key.ts";

// CommonJS, whose default export is something else to each loader.
const require = createRequire(import.meta.url);
const lib = "@redis/client/dist/lib";
const slots = require(`${lib}/utils/calculate-slot.js`) as { default: typeof Slots.default };
const { BasicCommandParser } = require(`${lib}/client/parser.js`) as typeof Parsers;
const policies = `${lib}/cluster/request-response-policies`;
const { NUMERIC_AGG_POLICIES, RESPONSE_REDUCERS, remapAggregateReply } = require(
  `${policies}/dispatch.js`,
) as typeof Policies;
const { splitMultiShardCommand } = require(
  `${policies}/multi-shard-splitter.js`,
) as typeof Splitters;
const { defaultCommandMetadata } = require(`${lib}/command-metadata/index.js`) as typeof Metadata;

/** Where a command goes. */
export type Route =
  | { readonly to: "slot"; readonly slot: number }
  | { readonly to: "any" | "scan" }
  | { readonly to: "several"; readonly parts: readonly Part[]; readonly join: Join }
  | { readonly to: "all"; readonly join: Join };

/** What one slot gets of a command whose keys are in several. */
export interface Part {
  readonly slot: number;
  readonly args: readonly Argument[];
}

/** How the replies of several nodes become one. */
export interface Join {
  /** Whether it reckons with their numbers. */
  readonly counts: boolean;
  readonly replies: (replies: Promise<Reply>[]) => Promise<Reply>;
}

/** The slot that a key, or a channel, belongs to. */
export function slotOfKey(key: Argument): number {
  return slots.default(key);
}

/**
 * The slot that the keys of a transaction are in; undefined without any.
 *
 * @throws ReplyError CROSSSLOT: nodes that each have some of them would send it to one another
 */
export function slotOfAll(commands: readonly Command[]): number | undefined {
  let found: number | undefined;
  for (const { args } of commands) {
    if (args[0] === "SCAN") throw crossSlot("SCAN looks at the keys of all slots");
    const key = firstKey(args);
    if (key === undefined) continue;
    const slot = slotOfKey(key);
    if (found !== undefined && slot !== found) throw crossSlot();
    found = slot;
  }
  return found;
}

/** What a node says of keys that it has all, but in different slots. */
export function crossSlot(why = "Keys in request don't hash to the same slot"): ReplyError {
  return new ReplyError(`CROSSSLOT ${why}`);
}

/** What the library's table of commands says of one. What is not in it goes by its first key. */
export function routeOf(args: readonly Argument[]): Route {
  const [name, second] = args;
  const command = String(name);
  // Any node would do, but only from one node is what is said on a channel heard in order.
  if (command === "PUBLISH") return { to: "slot", slot: slotOfKey(second ?? "") };
  if (command === "SCAN") return { to: "scan" };
  const policy = defaultCommandMetadata.lookup({
    command,
    subcommand: typeof second === "string" ? second : undefined,
  });
  switch (policy?.request) {
    case "all_shards":
    case "all_nodes":
      return { to: "all", join: joinOf(policy, args) };
    case "multi_shard": {
      const split = [...splitMultiShardCommand(args, policy.keySpecs)];
      const [[slot] = [0]] = split;
      if (split.length === 1) return { to: "slot", slot };
      const places = split.map(([, { groupIndices }]) => groupIndices);
      const parts = split.map(([at, part]) => ({ slot: at, args: part.args }));
      return { to: "several", parts, join: joinOf(policy, args, places) };
    }
    case "special":
    case "default-keyless":
      return { to: "any" };
    default: {
      const key = firstKey(args);
      return key === undefined ? { to: "any" } : { to: "slot", slot: slotOfKey(key) };
    }
  }
}

function joinOf(
  { response }: Pick<Metadata.CommandMetadata, "response">,
  args: readonly Argument[],
  places?: number[][],
): Join {
  const reduce = RESPONSE_REDUCERS[response];
  return {
    counts: NUMERIC_AGG_POLICIES.has(response),
    async replies(replies) {
      const parser = new BasicCommandParser();
      parser.push(...args);
      return reduce(replies, parser, places);
    },
  };
}

/** A number that was reckoned, as its command wants it. */
export const asWanted: typeof Policies.remapAggregateReply = remapAggregateReply;
