import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** A server whose answers take a while. Dispose it to close it. */
export interface FarServer extends AsyncDisposable {
  readonly url: string;
}

/** Passes on what is said to a server on loopback, and what it answers so many milliseconds later. */
export async function startFarServer(port: number, lateMs: number): Promise<FarServer> {
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(port, "127.0.0.1");
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on("error", () => {}).on("close", () => sockets.delete(socket));
    }
    near.on("data", (data) => far.write(data)).on("close", () => far.destroy());
    far.on("data", (data) => setTimeout(() => near.write(data), lateMs));
    far.on("close", () => near.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
