import { expiry } from "./expiry.ts";
import { hashes } from "./hashes.ts";
import { keys } from "./keys.ts";
import { lists } from "./lists.ts";
import { sets } from "./sets.ts";
import { sortedSets } from "./sorted-sets.ts";
import { strings } from "./strings.ts";

/** Every rpc that is one command, a family a file. */
export const commands: typeof strings &
  typeof expiry &
  typeof keys &
  typeof hashes &
  typeof lists &
  typeof sets &
  typeof sortedSets = {
  ...strings,
  ...expiry,
  ...keys,
  ...hashes,
  ...lists,
  ...sets,
  ...sortedSets,
};
