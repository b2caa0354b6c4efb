import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { type Client, Code } from "@connectrpc/connect";
import { inMemory } from "@dropthrough/dispatch/testing";
import { describe, expect, test } from "vitest";
import { type ConnectionAddress, redis, type RedisService } from "../src/index.ts";
import { b, fails, t } from "./rules/rule.ts";

/** A server that answers each command with a line of a script, and the greeting, SENTINEL and CLUSTER as servers do. */
async function withServer(
  answer: (command: string, socket: Socket) => string,
  prove: (client: Client<typeof RedisService>) => Promise<void>,
  address = (port: number): ConnectionAddress => `redis://127.0.0.1:${port}`,
  secondSlots?: string,
): Promise<void> {
  let slots = 0;
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.on("data", (data) => {
      let said = data.toString("latin1").toUpperCase();
      if (said.includes("HELLO")) {
        socket.write("%1\r\n+proto\r\n:3\r\n+PONG\r\n");
        said = said.replace("\r\nPING\r\n", "\r\n");
      }
      if (said.includes("GET-MASTER-ADDR")) {
        const port = String((server.address() as AddressInfo).port);
        socket.write(`*2\r\n$9\r\n127.0.0.1\r\n$${port.length}\r\n${port}\r\n`);
      }
      if (said.includes("\r\nSLOTS\r\n")) {
        const { port } = server.address() as AddressInfo;
        if (++slots === 2 && secondSlots !== undefined) socket.write(secondSlots);
        else socket.write(`*1\r\n*3\r\n:0\r\n:16383\r\n*2\r\n$9\r\n127.0.0.1\r\n:${port}\r\n`);
      }
      for (const name of ["PSUBSCRIBE", "SUBSCRIBE", "UNWATCH", "WATCH", "EXEC", "GET", "PING"]) {
        if (!said.includes(`\r\n${name}\r\n`)) continue;
        socket.write(answer(name, socket));
        break;
      }
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const backend = inMemory(redis({ connections: { default: address(port) } }));
  try {
    await prove(backend.client());
  } finally {
    await backend[Symbol.asyncDispose]();
    server.close();
  }
}

const garbage = [
  ["lists in lists, deeper than can be read", "*1\r\n".repeat(20_000)],
  ["what is no reply", "?\r\n"],
  ["a message that names nothing", ">0\r\n"],
] as const;

describe.each(garbage)("%s", (_, said) => {
  const first = (right: string): (() => string) => {
    let asked = 0;
    return () => (asked++ === 0 ? `${said}$5\r\nwrong\r\n` : right);
  };

  test("the call is UNAVAILABLE, and the next one gets its own", () =>
    withServer(first("$5\r\nright\r\n"), async (client) => {
      await fails(client.get({ key: b("k") }), Code.Unavailable);
      expect(t((await client.get({ key: b("k") })).value)).toBe("right");
    }));

  test("by way of sentinels, the same", () =>
    withServer(
      first("$5\r\nright\r\n"),
      async (client) => {
        await fails(client.get({ key: b("k") }), Code.Unavailable);
        expect(t((await client.get({ key: b("k") })).value)).toBe("right");
      },
      (port) => ({ sentinels: [`redis://127.0.0.1:${port}`], url: "redis://master" }),
    ));

  test("said by a node of a cluster, the same", () =>
    withServer(
      first("$5\r\nright\r\n"),
      async (client) => {
        await fails(client.get({ key: b("k") }), Code.Unavailable);
        expect(t((await client.get({ key: b("k") })).value)).toBe("right");
      },
      (port) => ({ cluster: [`redis://127.0.0.1:${port}`] }),
    ));

  test("said of who has which slot: what is asked next is answered", () => {
    let asked = 0;
    return withServer(
      // The first says that the key is elsewhere, so that the node is asked who has it.
      () => (asked++ === 0 ? `-MOVED 1 127.0.0.1:1\r\n` : "$5\r\nright\r\n"),
      async (client) => {
        expect(t((await client.get({ key: b("k") })).value)).toBe("right");
      },
      (port) => ({ cluster: [`redis://127.0.0.1:${port}`] }),
      said,
    );
  });

  test("said of a watch: the transaction is UNAVAILABLE", async () => {
    const answer = first("+OK\r\n");
    await withServer(
      (name) => (name === "WATCH" ? "+OK\r\n" : answer()),
      async (client) => {
        const { watchId } = await client.watch({ keys: [b("k")] });
        const command = { command: { case: "get" as const, value: { key: b("k") } } };
        const error = await fails(
          client.transaction({ commands: [command], watchId }),
          Code.Unavailable,
        );
        expect(error.message).toContain("may have been done or not");
      },
    );
  });
});

test("a reply that nobody asked for: the connection is given up, and the next call gets its own", () => {
  let asked = 0;
  return withServer(
    () => (asked++ === 0 ? "$5\r\nfirst\r\n$5\r\nwrong\r\n" : "$5\r\nright\r\n"),
    async (client) => {
      expect(t((await client.get({ key: b("k") })).value)).toBe("first");
      expect(t((await client.get({ key: b("k") })).value)).toBe("right");
    },
  );
});

test("said to those who listen: they hear of an interruption, and then what is said next", async () => {
  let heard = 0;
  await withServer(
    (name, socket) => {
      if (name !== "SUBSCRIBE") return "+PONG\r\n";
      const known = ">3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n";
      if (heard++ === 0) {
        setTimeout(() => socket.write("?\r\n"), 50);
        return known;
      }
      setTimeout(() => socket.write(">3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$5\r\nright\r\n"), 50);
      return known;
    },
    async (client) => {
      const { subscriptionId } = await client.subscribe({ channels: [b("c")] });
      const first = await client.poll({ subscriptionId, waitMs: 5_000 });
      expect(first.interruptions).toBe(1n);
      const next = await client.poll({ subscriptionId, waitMs: 5_000 });
      const messages = [...first.messages, ...next.messages].map(({ message }) => t(message));
      expect(messages).toEqual(["right"]);
    },
  );
});
