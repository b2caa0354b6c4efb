import { create, toBinary } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import { echo, EchoService } from "@dropthrough/dispatch/testing";
import { createHost, type GuestConfig, type Host } from "@dropthrough/host";
import type { CaseMaker, Sample } from "./case.ts";
import { loopModule, loopRequest, renamed, starter } from "./loop-guest.ts";

const NAME = "bench.v1.Loop0000Service";

/** So many guests in one host; each is a module, a memory and a service of its own. It makes `turn` calls, then the next does. */
async function guests(count: number, turn: number): Promise<{ sample: Sample; host: Host }> {
  const { input } = EchoService.method.echo;
  const module = loopModule(NAME, {
    method: "dropthrough.testing.v1.EchoService/Echo",
    request: toBinary(input, create(input, { payload: Buffer.alloc(64, 7) })),
  });
  const services = Array.from({ length: count }, (_, i) =>
    renamed(NAME.replace("0000", String(i).padStart(4, "0"))),
  );
  const host = createHost({
    backends: [starter, echo()],
    guests: services.map(({ typeName }, i): GuestConfig => ({
      name: `loop${i}`,
      module: renameIn(module, typeName),
      exports: [typeName],
      grants: ["bench.v1.StarterService/*", "dropthrough.testing.v1.EchoService/*"],
    })),
    limits: { defaultTimeoutMs: 0 },
  });
  await host.start();
  const clients = services.map((service) => createClient(service, host.transport));
  let next = 0;
  return {
    host,
    async sample(times) {
      const start = process.hrtime.bigint();
      for (let left = times; left > 0; left -= turn) {
        const payload = loopRequest(Math.min(left, turn));
        await clients[next++ % count]?.echo({ payload });
      }
      return Number(process.hrtime.bigint() - start);
    },
  };
}

/** Another name in the same bytes. */
function renameIn(module: Uint8Array, name: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(module);
  const text = Buffer.from(bytes.buffer);
  for (let at = text.indexOf(NAME); at >= 0; at = text.indexOf(NAME, at + 1)) text.write(name, at);
  return bytes;
}

function scale(name: string, count: number, turn: number, atMost?: number): CaseMaker {
  return {
    name,
    async make() {
      const [many, one] = [await guests(count, turn), await guests(1, turn)];
      return {
        what: `1 guest, ${turn} calls in a turn`,
        ...(atMost !== undefined && { atMost }),
        subject: many.sample,
        baseline: one.sample,
        async close() {
          await many.host[Symbol.asyncDispose]();
          await one.host[Symbol.asyncDispose]();
        },
      };
    },
  };
}

const cases: readonly CaseMaker[] = [
  scale("scale.guests10", 10, 1000, 1.2),
  scale("scale.guests100", 100, 1000, 1.2),
  scale("scale.guests", 1000, 1000, 1.2),
  // Shown for scale: with short turns, a guest has left the processor's caches until it is its turn again.
  scale("scale.turns", 1000, 100),
];

export default cases;
