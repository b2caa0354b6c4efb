import { type Backend } from "@dropthrough/dispatch";
import { inMemory } from "@dropthrough/dispatch/testing";
import { describe, test } from "vitest";
import type { RedisOptions, RedisService } from "../src/index.ts";
import { exceptions } from "./exceptions.ts";
import { LISTED, SCRIPTS } from "./rules/execute.ts";
import { rules } from "./rules.ts";

/** Options that the rules count on. */
export const common: RedisOptions = { execute: LISTED, scripts: SCRIPTS, guestScripts: true };

/** Runs every rule against one kind of Redis, which has no keys at the start of each. */
export function proveRules(
  target: string,
  make: () => Backend<typeof RedisService>,
  flush: () => Promise<unknown> = async () => {},
): void {
  describe(`the Redis "${target}"`, () => {
    for (const { name, prove } of rules) {
      const reason = exceptions[target]?.[name];
      // An exception that is no longer one turns red: take it off the list.
      const run = reason === undefined ? test : test.fails;
      run(reason === undefined ? name : `NOT: ${name} (${reason})`, async () => {
        await flush();
        await using backend = inMemory(make());
        const client = backend.client();
        const { connectionId } = await client.open({});
        const stranger = backend.client("stranger");
        await prove({ client, connectionId, stranger, end: () => backend.end() });
      });
    }
  });
}
