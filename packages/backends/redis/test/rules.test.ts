import { inMemory } from "@dropthrough/dispatch/testing";
import { createClient } from "redis";
import { afterAll, describe, test } from "vitest";
import { redis } from "../src/index.ts";
import { startRedisServer } from "../src/testing.ts";
import { exceptions } from "./exceptions.ts";
import { LISTED, SCRIPTS } from "./rules/execute.ts";
import { rules } from "./rules.ts";

const server = await startRedisServer();
const admin = await createClient({ url: server.url }).connect();
afterAll(async () => {
  admin.destroy();
  await server[Symbol.asyncDispose]();
});

const common = { execute: LISTED, scripts: SCRIPTS, guestScripts: true };

/** The Redis that the rules are run against, by name. */
const targets = {
  embedded: () => redis({ ...common, embedded: true }),
  server: () => redis({ ...common, url: server.url }),
  // The prefix is full of what a pattern takes for itself.
  isolated: () => redis({ ...common, url: server.url, prefix: "*[a-z]?\\", isolate: true }),
};

describe.each(Object.entries(targets))("%s", (target, make) => {
  for (const { name, prove } of rules) {
    const reason = exceptions[target]?.[name];
    // An exception that is no longer one turns red: take it off the list.
    const run = reason === undefined ? test : test.fails;
    run(reason === undefined ? name : `NOT: ${name} (${reason})`, { timeout: 20_000 }, async () => {
      await admin.flushAll();
      await using backend = inMemory(make());
      const client = backend.client();
      const { connectionId } = await client.open({});
      const stranger = backend.client("stranger");
      await prove({ client, connectionId, stranger, end: () => backend.end() });
    });
  }
});
