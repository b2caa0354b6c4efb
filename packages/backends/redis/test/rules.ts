import { expiryRules } from "./rules/expiry.ts";
import { openRules } from "./rules/open.ts";
import type { Rule } from "./rules/rule.ts";
import { sortedSetRules } from "./rules/sorted-sets.ts";
import { stringRules } from "./rules/strings.ts";

/** What every Redis behind the contract does, real or embedded. Each rule gets a connection of its own, to no keys. */
export const rules: readonly Rule[] = [
  ...openRules,
  ...stringRules,
  ...expiryRules,
  ...sortedSetRules,
];
