import { inMemory } from "@dropthrough/dispatch/testing";
import { afterAll, expect, test } from "vitest";
import { redis } from "../src/index.ts";
import { startRedisServer } from "../src/testing.ts";
import { b, t } from "./rules/rule.ts";

const server = await startRedisServer();
afterAll(() => server[Symbol.asyncDispose]());

test.each(["embedded:", server.url])(
  "%s: the bytes of a request may change as soon as its call was made",
  async (url) => {
    await using backend = inMemory(redis({ url }));
    const client = backend.client();
    const { connectionId } = await client.open({});
    const [name, value, member] = [b("name"), b("value"), b("member")];
    const calls = [
      client.set({ connectionId, key: name, value }),
      client.setAdd({ connectionId, key: b("s"), members: [member] }),
    ];
    for (const bytes of [name, value, member]) bytes.fill(0);
    await Promise.all(calls);
    expect(t((await client.get({ connectionId, key: b("name") })).value)).toBe("value");
    const { members } = await client.setMembers({ connectionId, key: b("s") });
    expect(members.map(t)).toEqual(["member"]);
  },
);
