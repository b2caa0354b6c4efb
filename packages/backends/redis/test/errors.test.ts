import { Code } from "@connectrpc/connect";
import { rmSync } from "node:fs";
import { RetryInfoSchema } from "@dropthrough/dispatch";
import { inMemory } from "@dropthrough/dispatch/testing";
import { createClient } from "@redis/client";
import { describe, expect, test } from "vitest";
import { redis, type RedisOptions } from "../src/index.ts";
import { CODES, fromReply, ReplyError } from "../src/redis-error.ts";
import { type RedisServer, type RedisServerOptions, startRedisServer } from "../src/testing.ts";
import { startRedisCluster } from "./cluster.ts";
import { b, fails, t } from "./rules/rule.ts";

type Client = ReturnType<
  ReturnType<typeof inMemory<ReturnType<typeof redis>["service"]>>["client"]
>;

interface World extends AsyncDisposable {
  readonly server: RedisServer;
  readonly client: Client;
  /** Does what no guest may. */
  admin(...args: string[]): Promise<unknown>;
}

/** A server, and a guest that is connected to it. */
async function world(options: RedisServerOptions = {}, more: RedisOptions = {}): Promise<World> {
  const server = await startRedisServer(options);
  const backend = inMemory(redis({ url: server.url, ...more }));
  const direct = createClient({ url: server.url });
  direct.on("error", () => {});
  await direct.connect();
  return {
    server,
    client: backend.client(),
    admin: (...args) => direct.sendCommand(args),
    async [Symbol.asyncDispose]() {
      direct.destroy();
      await backend[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

const key = b("k");
const value = b("v");

/** That a failure says when to try again. */
async function saysWhen(call: Promise<unknown>, code: Code = Code.Unavailable): Promise<string> {
  const error = await fails(call, code);
  const [retry] = error.findDetails(RetryInfoSchema);
  expect(retry?.retryDelay?.seconds ?? -1n).toBeGreaterThanOrEqual(0n);
  return error.message;
}

describe("each error of a real server becomes its code:", () => {
  test("WRONGTYPE and a syntax error are INVALID_ARGUMENT", async () => {
    await using w = await world({}, { execute: ["SET"] });
    await w.client.setAdd({ key, members: [value] });
    expect((await fails(w.client.get({ key }), Code.InvalidArgument)).message).toContain(
      "WRONGTYPE",
    );
    const args = [key, value, b("NONSENSE")];
    const wrong = w.client.execute({ command: "SET", arguments: args });
    expect((await fails(wrong, Code.InvalidArgument)).message).toContain("syntax error");
  });

  test("OOM is RESOURCE_EXHAUSTED", async () => {
    await using w = await world();
    await w.admin("CONFIG", "SET", "maxmemory", "1");
    expect((await fails(w.client.set({ key, value }), Code.ResourceExhausted)).message).toContain(
      "OOM",
    );
    expect((await w.client.get({ key })).value).toBeUndefined();
  });

  test("NOAUTH and WRONGPASS are PERMISSION_DENIED", async () => {
    await using server = await startRedisServer({ args: ["--requirepass", "secret"] });
    await using without = inMemory(redis({ url: server.url }));
    const error = await fails(without.client().open({}), Code.PermissionDenied);
    expect(error.message).toMatch(/NOAUTH|NOPERM/);
    const wrong = server.url.replace("//", "//:wrong@");
    await using stranger = inMemory(redis({ url: wrong }));
    const refused = await fails(stranger.client().open({}), Code.PermissionDenied);
    expect(refused.message).toContain("WRONGPASS");
    expect(refused.message).not.toContain(":wrong");
  });

  test("NOPERM is PERMISSION_DENIED", async () => {
    const user = "--user guest on >p ~* &* +@all -set";
    await using server = await startRedisServer({ args: user.split(" ") });
    await using backend = inMemory(redis({ url: server.url.replace("//", "//guest:p@") }));
    const client = backend.client();
    const error = await fails(client.set({ key, value }), Code.PermissionDenied);
    expect(error.message).toContain("NOPERM");
    await client.increment({ key });
  });

  test("READONLY is FAILED_PRECONDITION", async () => {
    await using w = await world();
    await w.admin("REPLICAOF", "127.0.0.1", "1");
    const error = await fails(w.client.set({ key, value }), Code.FailedPrecondition);
    expect(error.message).toContain("READONLY");
  });

  test("MISCONF is FAILED_PRECONDITION", async () => {
    await using w = await world();
    await w.admin("CONFIG", "SET", "stop-writes-on-bgsave-error", "yes", "save", "1 1");
    await w.admin("SET", "a", "b");
    // Where it would save to is gone.
    rmSync(w.server.folder, { recursive: true });
    await w.admin("BGSAVE").catch(() => {});
    const write = async (): Promise<string> =>
      w.client.set({ key, value }).then(
        () => "written",
        (error: unknown) => String(error),
      );
    await expect.poll(write).toContain("MISCONF");
    await fails(w.client.set({ key, value }), Code.FailedPrecondition);
  });

  test("BUSY is UNAVAILABLE, and says when to try again", async () => {
    await using w = await world({ args: ["--busy-reply-threshold", "20"] });
    const script = { case: "source", value: "while true do end" } as const;
    await using other = inMemory(redis({ url: w.server.url }));
    const busy = other.client();
    await busy.open({});
    const spinning = w.client.eval({ script }).catch((error: unknown) => String(error));
    const read = async (): Promise<string> =>
      busy.get({ key }).then(
        () => "read",
        (error: unknown) => String(error),
      );
    await expect.poll(read).toContain("BUSY");
    expect(await saysWhen(busy.get({ key }))).toContain("BUSY");
    await w.admin("SCRIPT", "KILL");
    expect(await spinning).toContain("invalid_argument");
    await busy.get({ key });
  });

  test("LOADING is UNAVAILABLE, and says when to try again", async () => {
    await using slow = await startRedisServer({
      args: ["--appendonly", "yes", "--enable-debug-command", "yes"],
    });
    await using backend = inMemory(redis({ url: slow.url }));
    const client = backend.client();
    for (let i = 0; i < 100; i++) {
      await client.set({ key: b(`k${i}`), value: new Uint8Array(2048).fill(i) });
    }
    const direct = await createClient({ url: slow.url }).connect();
    direct.on("error", () => {});
    // Every key takes a while to load.
    await direct.sendCommand([
      "CONFIG",
      "SET",
      "key-load-delay",
      "20000",
      "loading-process-events-interval-bytes",
      "1024",
    ]);
    const reloading = direct.sendCommand(["DEBUG", "RELOAD"]).catch(() => {});
    const read = async (): Promise<string> =>
      client.get({ key }).then(
        () => "read",
        (error: unknown) => String(error),
      );
    await expect.poll(read, { interval: 5 }).toContain("LOADING");
    expect(await saysWhen(client.get({ key }))).toContain("LOADING");
    await reloading;
    direct.destroy();
  });

  test("a lost connection is UNAVAILABLE, and says when to try again", async () => {
    await using w = await world();
    await w.client.open({});
    w.server.pause();
    const lost = saysWhen(w.client.get({ key }));
    await new Promise((resolve) => setTimeout(resolve, 20));
    await w.server.kill();
    expect(await lost).toContain("lost before it answered");
  });

  test("too many clients is UNAVAILABLE", async () => {
    await using w = await world();
    await w.admin("CONFIG", "SET", "maxclients", "1");
    expect(await saysWhen(w.client.open({}))).toContain("max number of clients");
  });

  test("an unknown script, group or key is NOT_FOUND; one that is there already is ALREADY_EXISTS", async () => {
    const execute = ["EVALSHA", "XGROUP CREATE", "XREADGROUP", "RESTORE", "DUMP"];
    await using w = await world({}, { execute });
    const run = (command: string, ...args: string[]): Promise<unknown> =>
      w.client.execute({ command, arguments: args.map((arg) => b(arg)) });
    const unknown = await fails(run("EVALSHA", "f".repeat(40), "0"), Code.NotFound);
    expect(unknown.message).toContain("NOSCRIPT");
    await fails(run("XREADGROUP", "GROUP", "g", "c", "STREAMS", "s", ">"), Code.NotFound);
    await fails(w.client.rename({ key, newKey: b("x") }), Code.NotFound);
    await run("XGROUP CREATE", "s", "g", "$", "MKSTREAM");
    const twice = await fails(run("XGROUP CREATE", "s", "g", "$"), Code.AlreadyExists);
    expect(twice.message).toContain("BUSYGROUP");
    await w.client.set({ key, value });
    const { reply } = await w.client.execute({ command: "DUMP", arguments: [key] });
    const dump = reply?.kind.case === "bytes" ? reply.kind.value : b("");
    const restore = w.client.execute({ command: "RESTORE", arguments: [key, b("0"), dump] });
    expect((await fails(restore, Code.AlreadyExists)).message).toContain("BUSYKEY");
  });

  test("a sum beyond 64 bits is OUT_OF_RANGE, a changed watch ABORTED, an unknown command UNIMPLEMENTED", async () => {
    await using w = await world({}, { execute: ["NONSENSE"] });
    await w.client.set({ key, value: b("9223372036854775807") });
    await fails(w.client.increment({ key }), Code.OutOfRange);
    const { watchId } = await w.client.watch({ keys: [key] });
    await w.client.set({ key, value });
    await fails(w.client.transaction({ watchId }), Code.Aborted);
    const nonsense = await fails(w.client.execute({ command: "NONSENSE" }), Code.Unimplemented);
    expect(nonsense.message).toContain("unknown command");
  });

  test("NOREPLICAS is UNAVAILABLE", async () => {
    await using w = await world();
    await w.admin("CONFIG", "SET", "min-replicas-to-write", "1");
    expect(await saysWhen(w.client.set({ key, value }))).toContain("NOREPLICAS");
  });

  test("MASTERDOWN is UNAVAILABLE", async () => {
    await using w = await world();
    await w.admin("CONFIG", "SET", "replica-serve-stale-data", "no");
    await w.admin("REPLICAOF", "127.0.0.1", "1");
    expect(await saysWhen(w.client.get({ key }))).toContain("MASTERDOWN");
  });

  test("in a cluster: MOVED is followed, keys of several slots are INVALID_ARGUMENT, a cluster that is down UNAVAILABLE", async () => {
    await using cluster = await startRedisCluster();
    const seeds = cluster.nodes.map(({ url }) => url);
    await using backend = inMemory(redis({ connections: { default: { cluster: seeds } } }));
    const client = backend.client();
    for (let i = 0; i < 20; i++) await client.set({ key: b(`k${i}`), value: b(`${i}`) });
    for (let i = 0; i < 20; i++) {
      expect(t((await client.get({ key: b(`k${i}`) })).value)).toBe(`${i}`);
    }
    const two = client.rename({ key: b("a"), newKey: b("b") });
    expect((await fails(two, Code.InvalidArgument)).message).toContain("CROSSSLOT");
    // A node as if it stood alone: it names the node that has the key, and nobody follows.
    const codes = new Set<string>();
    await using single = inMemory(redis({ url: seeds[0] ?? "" }));
    for (let i = 0; i < 20; i++) {
      await single
        .client()
        .get({ key: b(`k${i}`) })
        .then(
          () => codes.add("OK"),
          (error: unknown) => codes.add(String(error).replace(/ \d+ .*/, "")),
        );
    }
    expect(codes).toEqual(new Set(["OK", "ConnectError: [failed_precondition] Redis says: MOVED"]));
    // Slots that nobody has stop the whole of it.
    const direct = await createClient({ url: seeds[0] ?? "" }).connect();
    await direct.sendCommand(["CLUSTER", "DELSLOTSRANGE", "0", "10"]);
    direct.destroy();
    const down = async (): Promise<string> =>
      single
        .client()
        .get({ key: b("k0") })
        .then(
          () => "read",
          (error: unknown) => String(error),
        );
    await expect.poll(down).toContain("CLUSTERDOWN");
    await saysWhen(single.client().get({ key: b("k0") }));
  });
});

test("what says UNAVAILABLE always says when, whatever the words are", () => {
  for (const [kind, code] of Object.entries(CODES)) {
    const error = fromReply(new ReplyError(`${kind} and more`));
    expect(error.code).toBe(code);
    expect(error.findDetails(RetryInfoSchema)).toHaveLength(code === Code.Unavailable ? 1 : 0);
  }
  expect(fromReply(new ReplyError("SOMETHING else")).code).toBe(Code.Unknown);
});
