import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";

/** What says that it is a node of a cluster. Dispose it to close it. */
export interface LyingNode extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** The commands that it got, but for those of the greeting. */
  readonly asked: string[];
  /** How many connections it got. */
  readonly connections: number;
  /** Closes those that it has, and goes on taking new ones. */
  hangUp(): void;
}

/** Starts a node that answers the greeting as nodes do, and anything else what it is told to; nothing for undefined. */
export async function startLyingNode(
  answer: (words: readonly string[], self: LyingNode) => string | undefined,
): Promise<LyingNode> {
  const sockets = new Set<Socket>();
  const asked: string[] = [];
  let connections = 0;
  const server = createServer((socket) => {
    connections++;
    sockets.add(socket);
    socket.on("error", () => {}).on("close", () => sockets.delete(socket));
    socket.on("data", (data) => {
      const text = data.toString("latin1");
      const greets = text.includes("HELLO");
      for (const command of text.split(/^\*\d+\r\n/m).slice(1)) {
        const words = command.split("\r\n").filter((_, i) => i % 2 === 1);
        if (words[0] === "HELLO") {
          socket.write("%1\r\n+proto\r\n:3\r\n");
          continue;
        }
        if (greets && words[0] === "PING") {
          socket.write("+PONG\r\n");
          continue;
        }
        asked.push(words.join(" "));
        const said = answer(words, self);
        if (said !== undefined) socket.write(said);
      }
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const self: LyingNode = {
    url: `redis://127.0.0.1:${port}`,
    port,
    asked,
    get connections() {
      return connections;
    },
    hangUp() {
      for (const socket of sockets) socket.destroy();
    },
    async [Symbol.asyncDispose]() {
      server.close();
      self.hangUp();
    },
  };
  return self;
}

/** Starts a sentinel that says which port of this machine the master has. For `url: "redis://mymaster"`. */
export async function startLyingSentinel(masterPort: () => number): Promise<LyingNode> {
  return startLyingNode(() => {
    const port = String(masterPort());
    return `*2\r\n$9\r\n127.0.0.1\r\n$${port.length}\r\n${port}\r\n`;
  });
}

/** What CLUSTER SLOTS answers: one node has these slots. */
export function slotsAt(port: number, host = "127.0.0.1", from = 0, to = 16_383): string {
  return `*1\r\n*3\r\n:${from}\r\n:${to}\r\n*2\r\n$${host.length}\r\n${host}\r\n:${port}\r\n`;
}
