import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { GetRequestSchema, PipelineRequestSchema } from "@dropthrough/redis";
import { connectNodeRedis, type NodeRedis, startRedisServer } from "@dropthrough/redis/testing";
import { bareGuests } from "./bare-guests.ts";
import type { CaseMaker, Sample } from "./case.ts";
import { redisGuests } from "./redis-guest.ts";

const KEY = "key-12345678";
const VALUE = Buffer.alloc(100, 7);

interface RedisCase {
  readonly what: string;
  readonly atMost?: number;
  readonly method: string;
  readonly request: Uint8Array;
  readonly instances?: number;
  readonly inFlight?: number;
  /** How many times a turn does it, where more than one guest has to be kept going. */
  readonly times?: number;
  readonly processes?: number;
  /** The client has its own defaults, not the options that the backend gives it. */
  readonly asItComes?: boolean;
  /** Does it once with the client itself. */
  readonly once: (client: NodeRedis) => Promise<unknown>;
}

/** Calls of guests, beside the client library itself, on one real server. */
function onRedis(name: string, options: RedisCase): CaseMaker {
  const { what, atMost, method, request, instances = 1, inFlight = 1, times, once } = options;
  const { asItComes = false, processes = 1 } = options;
  return {
    name,
    processes,
    async make() {
      const server = await startRedisServer();
      const client = await connectNodeRedis(server.url, asItComes);
      await client.sendCommand(["SET", KEY, VALUE]);
      const { url } = server;
      const guests = await redisGuests({ url, method, request, instances, inFlight });
      const baseline = atOnce(instances * inFlight, () => once(client));
      if (times !== undefined) {
        // So many times at once warm nothing up by themselves.
        for (let i = 0; i < 3; i++) {
          await guests.sample(times);
          await baseline(times);
        }
      }
      return {
        what,
        ...(atMost !== undefined && { atMost }),
        ...(times !== undefined && { times }),
        subject: guests.sample,
        baseline,
        async close() {
          await guests.close();
          client.destroy();
          await server[Symbol.asyncDispose]();
        },
      };
    },
  };
}

/** So many of something under way all the time, each awaited before the next. */
function atOnce(count: number, once: () => Promise<unknown>): Sample {
  return async (times) => {
    let left = times;
    const start = process.hrtime.bigint();
    const one = async (): Promise<void> => {
      while (left-- > 0) await once();
    };
    await Promise.all(Array.from({ length: Math.min(count, times) }, one));
    return Number(process.hrtime.bigint() - start);
  };
}

const get = toBinary(GetRequestSchema, create(GetRequestSchema, { key: Buffer.from(KEY) }));
const sendGet = (client: NodeRedis): Promise<unknown> => client.sendCommand(["GET", KEY]);

const command = { command: { case: "get", value: { key: Buffer.from(KEY) } } } as const;
const hundred: MessageInitShape<typeof PipelineRequestSchema> = {
  commands: Array.from({ length: 100 }, () => command),
};

const pipeline = toBinary(PipelineRequestSchema, create(PipelineRequestSchema, hundred));
const sendPipeline = (client: NodeRedis): Promise<unknown> => {
  const commands = client.multi();
  for (let i = 0; i < 100; i++) commands.addCommand(["GET", KEY]);
  return commands.execAsPipeline();
};

/** The client as a program has it that takes it as it comes; and without what costs it most, its timers, beside which nothing hides. */
const [PLAIN, LEAN] = ["node-redis", "node-redis without its timers"];

interface Both extends Omit<RedisCase, "what" | "asItComes"> {
  /** What is done with the client. */
  readonly does: string;
  readonly atMost: number;
}

/** The same beside both. What is to be reached is to be reached beside the client as it comes. */
function besideBoth(name: string, { does, atMost, ...more }: Both): readonly CaseMaker[] {
  return [
    onRedis(name, { ...more, atMost, asItComes: true, what: does.replace("%", PLAIN) }),
    onRedis(`${name}.lean`, { ...more, what: does.replace("%", LEAN) }),
  ];
}

const cases: readonly CaseMaker[] = [
  ...besideBoth("redis.get.sequential", {
    does: "GET with %, one after the other",
    atMost: 1.05,
    method: "Get",
    request: get,
    once: sendGet,
  }),
  ...besideBoth("redis.get.inflight64", {
    does: "GET with %, 64 under way",
    atMost: 1.15,
    method: "Get",
    request: get,
    inFlight: 64,
    once: sendGet,
  }),
  ...besideBoth("redis.get.guests1000", {
    does: "GET with %, 1,000 under way",
    atMost: 1.7,
    method: "Get",
    request: get,
    instances: 1000,
    times: 40_000,
    // How a thousand stacks and memories lie in the caches is chance.
    processes: 3,
    once: sendGet,
  }),
  {
    name: "redis.get.guests1000.bare",
    async make() {
      const server = await startRedisServer();
      const client = await connectNodeRedis(server.url);
      await client.sendCommand(["SET", KEY, VALUE]);
      const [subject, baseline] = [
        bareGuests(1000, () => sendGet(client)),
        atOnce(1000, () => sendGet(client)),
      ];
      for (let i = 0; i < 3; i++) await subject(40_000);
      return {
        what: `GET with ${LEAN}, 1,000 under way; beside it the same for 1,000 suspended guests, without codec and dispatch`,
        times: 40_000,
        subject,
        baseline,
        async close() {
          client.destroy();
          await server[Symbol.asyncDispose]();
        },
      };
    },
  },
  ...besideBoth("redis.pipeline100", {
    does: "a pipeline of 100 GET with %",
    atMost: 1.1,
    method: "Pipeline",
    request: pipeline,
    once: sendPipeline,
  }),
];

export default cases;
