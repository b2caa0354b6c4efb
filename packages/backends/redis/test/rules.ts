import { executeRules } from "./rules/execute.ts";
import { expiryRules } from "./rules/expiry.ts";
import { hashRules } from "./rules/hashes.ts";
import { keyRules } from "./rules/keys.ts";
import { listRules } from "./rules/lists.ts";
import { moreSortedSetRules } from "./rules/more-sorted-sets.ts";
import { moreStringRules } from "./rules/more-strings.ts";
import { openRules } from "./rules/open.ts";
import { pipelineRules } from "./rules/pipeline.ts";
import { pubsubRules } from "./rules/pubsub.ts";
import type { Rule } from "./rules/rule.ts";
import { setRules } from "./rules/sets.ts";
import { sortedSetRules } from "./rules/sorted-sets.ts";
import { stringRules } from "./rules/strings.ts";

/** What every Redis behind the contract does, real or embedded. Each rule gets a connection of its own, to no keys. */
export const rules: readonly Rule[] = [
  ...openRules,
  ...stringRules,
  ...moreStringRules,
  ...expiryRules,
  ...keyRules,
  ...hashRules,
  ...listRules,
  ...setRules,
  ...sortedSetRules,
  ...moreSortedSetRules,
  ...pipelineRules,
  ...executeRules,
  ...pubsubRules,
];
