import { expiry } from "./expiry.ts";
import { sortedSets } from "./sorted-sets.ts";
import { strings } from "./strings.ts";

/** Every rpc that is one command, a family a file. */
export const commands = { ...strings, ...expiry, ...sortedSets } as const;
