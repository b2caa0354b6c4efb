import { readFileSync } from "node:fs";
import { create, type DescField, type DescMessage, toBinary } from "@bufbuild/protobuf";
import { type Client, Code, ConnectError, createClient } from "@connectrpc/connect";
import { RetryInfoSchema } from "@dropthrough/dispatch";
import { createHost, type Host } from "@dropthrough/host";
import { kernel } from "@dropthrough/kernel";
import {
  GetRequestSchema as RedisGetRequest,
  redis,
  type RedisOptions,
  RedisService,
} from "@dropthrough/redis";
import { startRedisServer } from "@dropthrough/redis/testing";
import { afterEach, describe, expect, test } from "vitest";
import {
  ExpireCondition,
  GetRequestSchema,
  keyValueGuest,
  KeyValueService,
  SetCondition,
} from "../src/index.ts";

let host: Host | undefined;
afterEach(async () => {
  await host?.[Symbol.asyncDispose]();
  host = undefined;
});

async function start(options: RedisOptions): Promise<Client<typeof KeyValueService>> {
  host = createHost({ backends: [kernel(), redis(options)], guests: [keyValueGuest] });
  await host.start();
  return createClient(KeyValueService, host.transport);
}

async function failure(promise: Promise<unknown>): Promise<ConnectError> {
  return promise.then(
    () => expect.fail("it succeeded"),
    (error: unknown) => ConnectError.from(error),
  );
}

const b = (text: string): Uint8Array => new TextEncoder().encode(text);
const t = (bytes?: Uint8Array): string | undefined => bytes && new TextDecoder().decode(bytes);
const names = KeyValueService.methods.map((method) => method.name);

describe("a method is one line:", () => {
  test("the facade is the names of the methods of its contract, each on a line of its own", () => {
    const source = readFileSync(new URL("../assembly/facade.ts", import.meta.url), "utf8");
    const list = /METHODS: string\[\] = \[\n(.*?)^\];/ms.exec(source)?.[1] ?? "";
    expect(list).toBe(names.map((name) => `  "${name}",\n`).join(""));
    // Nothing else in it knows of any method.
    const rest = source.replace(list, "").replaceAll(/^\/\/.*$/gm, "");
    expect(rest).not.toMatch(new RegExp(`\\b(${names.join("|")})\\b`));
  });

  test.each(KeyValueService.methods.map((method) => [method.name, method] as const))(
    "the messages of %s are those of Redis, without the connection",
    (name, method) => {
      const target = RedisService.methods.find((one) => one.name === name);
      if (target === undefined) throw new Error(`RedisService has no ${name}`);
      expect(shapeOf(method.input)).toEqual(shapeOf(target.input));
      expect(shapeOf(method.output)).toEqual(shapeOf(target.output));
    },
  );

  test("it may reach the methods that it passes on, and no others", () => {
    expect(keyValueGuest.grants).toEqual(names.map((name) => `${RedisService.typeName}/${name}`));
  });
});

/** What makes two messages the same bytes and the same names. */
function shapeOf(message: DescMessage): unknown {
  const fields = message.fields.filter((field) => field.name !== "connection_id");
  return fields.map((field) => [field.number, field.name, typeOf(field), field.oneof?.name ?? ""]);
}

function typeOf(field: DescField): string {
  const kind = field.fieldKind === "list" ? `repeated ${field.listKind}` : field.fieldKind;
  const values = field.enum?.values.map((value) => `${value.name}=${value.number}`).join(",") ?? "";
  return `${kind} ${field.scalar ?? ""} ${field.presence} ${values}`;
}

describe.each(["embedded", "real"])("with an %s Redis", (where) => {
  test("every method does what it does there", async () => {
    await using server = where === "real" ? await startRedisServer() : undefined;
    const client = await start(server === undefined ? { isolate: true } : { url: server.url });
    const key = b("k");
    expect(
      await client.set({ key, value: b("1"), expiry: { case: "expireInMs", value: 60_000n } }),
    ).toMatchObject({ written: true });
    expect(
      await client.set({ key, value: b("2"), condition: SetCondition.IF_ABSENT }),
    ).toMatchObject({ written: false });
    expect(t((await client.get({ key })).value)).toBe("1");
    expect((await client.get({ key: b("nothing") })).value).toBeUndefined();
    expect((await client.increment({ key, by: 41n })).value).toBe(42n);
    expect((await client.exists({ keys: [key, key, b("x")] })).existing).toBe(2n);
    const swap = await client.compareAndSet({ key, expected: b("42"), value: b("43") });
    expect([swap.swapped, t(swap.previous)]).toEqual([true, "42"]);
    expect(await client.timeToLive({ key })).toMatchObject({ exists: true });
    const { applied } = await client.expire({
      key,
      ttlMs: 5_000n,
      condition: ExpireCondition.IF_NONE,
    });
    expect(applied).toBe(true);
    const { ttlMs = 0n } = await client.timeToLive({ key });
    expect(ttlMs).toBeGreaterThan(0n);
    expect((await client.delete({ keys: [key] })).deleted).toBe(1n);
  });
});

test("a failure is passed on as it is: code, sentence and details", async () => {
  await using server = await startRedisServer();
  const client = await start({ url: server.url });
  await client.set({ key: b("k"), value: b("no number") });
  const wrong = await failure(client.increment({ key: b("k") }));
  expect(wrong.message).toMatch(/^\[invalid_argument\] Redis says: ERR value is not an integer/);
  expect((await failure(client.delete({}))).message).toBe(
    "[invalid_argument] at least one key is needed",
  );
  await server.kill();
  const gone = await failure(client.get({ key: b("k") }));
  expect(gone.code).toBe(Code.Unavailable);
  expect(gone.findDetails(RetryInfoSchema)).toHaveLength(1);
  await server.restart();
  const back = async (): Promise<unknown> =>
    client.get({ key: b("k") }).then(
      () => true,
      () => false,
    );
  await expect.poll(back).toBe(true);
});

test("where each guest has keys of its own, nobody else sees those of the facade", async () => {
  const client = await start({ isolate: true });
  await client.set({ key: b("k"), value: b("v") });
  const direct = createClient(RedisService, (host as Host).transport);
  expect((await direct.get({ key: b("k") })).value).toBeUndefined();
  expect(t((await client.get({ key: b("k") })).value)).toBe("v");
});

test("a caller that names a connection all the same reaches none", async () => {
  const client = await start({});
  const forged = toBinary(
    RedisGetRequest,
    create(RedisGetRequest, { connectionId: "guess", key: b("k") }),
  );
  const request = create(GetRequestSchema, { key: b("k") });
  request.$unknown = [{ no: 1, wireType: 2, data: forged.subarray(1, 7) }];
  const error = await failure(client.get(request));
  expect(error.message).toContain("[not_found] no such connection");
});
