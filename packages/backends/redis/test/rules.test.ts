import { inMemory } from "@dropthrough/dispatch/testing";
import { afterAll, describe, test } from "vitest";
import { redis } from "../src/index.ts";
import { type RedisServer, startRedisServer } from "../src/testing.ts";
import { exceptions } from "./exceptions.ts";
import { rules } from "./rules.ts";

const server: RedisServer = await startRedisServer();
afterAll(() => server[Symbol.asyncDispose]());

/** The Redis that the rules are run against, by name. Each rule gets keys of its own. */
const targets = {
  embedded: () => redis({ embedded: true }),
  server: () => redis({ url: server.url, prefix: `${Math.random()}:` }),
};

describe.each(Object.entries(targets))("%s", (target, make) => {
  for (const { name, prove } of rules) {
    const reason = exceptions[target]?.[name];
    // An exception that is no longer one turns red: take it off the list.
    const run = reason === undefined ? test : test.fails;
    run(reason === undefined ? name : `NOT: ${name} (${reason})`, { timeout: 20_000 }, async () => {
      await using backend = inMemory(make());
      const client = backend.client();
      const { connectionId } = await client.open({});
      const stranger = backend.client("stranger");
      await prove({ client, connectionId, stranger, end: () => backend.end() });
    });
  }
});
