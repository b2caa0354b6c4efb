// `pnpm measure [NAME]`: nanoseconds to decode and encode a message, the codec against protobuf-es, alternating in one
// process; medians of the rounds. Numbers of two runs can be compared only by their ratio.
import { create, fromBinary, type Message, toBinary } from "@bufbuild/protobuf";
import { codecOf } from "../src/index.ts";
import { messageOf, sources, typesOf } from "../test/contracts.ts";

const ROUNDS = 9;
const ROUND_MS = 25;

const types = typesOf(sources.contracts);
const proto3 = "protobuf_test_messages.proto3.TestAllTypesProto3";
const letters = (count: number): string =>
  "abcdefghijklmnopqrstuvwxyz".repeat(count).slice(0, count);
const attribute = (key: string, value: string): object => ({
  key,
  value: { kind: { case: "string", value } },
});

const messages: Readonly<Record<string, Message>> = {
  empty: make("dropthrough.redis.v1.PingResponse", {}),
  echo64: make("dropthrough.testing.v1.EchoRequest", { payload: new Uint8Array(64).fill(7) }),
  echo1k: make("dropthrough.testing.v1.EchoRequest", { payload: new Uint8Array(1024).fill(7) }),
  echo64k: make("dropthrough.testing.v1.EchoRequest", { payload: new Uint8Array(65_536).fill(7) }),
  get14: make("dropthrough.redis.v1.GetRequest", { key: new Uint8Array(12).fill(107) }),
  got100: make("dropthrough.redis.v1.GetResponse", { value: new Uint8Array(100).fill(7) }),
  read6: make("dropthrough.file.v1.ReadRequest", { handle: 3n, length: 65_536 }),
  log90: make("dropthrough.log.v1.WriteRequest", {
    record: {
      level: 2,
      message: letters(74),
      time: { seconds: 1_760_000_000n, nanos: 123_456_789 },
    },
  }),
  log145: make("dropthrough.log.v1.WriteRequest", {
    record: {
      level: 2,
      message: letters(80),
      time: { seconds: 1_760_000_000n, nanos: 123_456_789 },
      attributes: [attribute("user", "marta"), attribute("request", "a1b2c3d4")],
    },
  }),
  map2: make(proto3, { mapStringString: { user: "marta", request: "a1b2c3d4" } }),
  numbers: make(proto3, {
    optionalInt32: -5,
    optionalInt64: 1n << 40n,
    optionalDouble: 1.5,
    repeatedInt32: Array.from({ length: 20 }, (_, at) => at * 50),
  }),
};

function make(typeName: string, init: Record<string, unknown>): Message {
  const known = types.getMessage(typeName) ?? messageOf(typesOf(sources.conformance), typeName);
  return create(known, init);
}

const [only] = process.argv.slice(2);
print(["message", "bytes", "", "protobuf-es", "codec", "ratio"]);
for (const [name, message] of Object.entries(messages)) {
  if (only !== undefined && !name.includes(only)) continue;
  measure(name, message);
}

function measure(name: string, message: Message): void {
  const desc = types.getMessage(message.$typeName) ?? codecDesc(message);
  const codec = codecOf(desc);
  const bytes = toBinary(desc, message);
  const memory = new Uint8Array(1 << 17);
  memory.set(bytes, 1000);
  const end = 1000 + bytes.length;
  compare(name, bytes.length, "decode", [
    () => fromBinary(desc, memory.slice(1000, end)),
    () => codec.decode(memory, 1000, end),
  ]);
  compare(name, bytes.length, "borrow", [
    () => fromBinary(desc, memory.subarray(1000, end)),
    () => codec.decodeBorrowed(memory, 1000, end),
  ]);
  compare(name, bytes.length, "encode", [
    () => memory.set(toBinary(desc, message), 1000),
    () => codec.encodeInto(message, memory, 1000, memory.length),
  ]);
}

function codecDesc(message: Message): Parameters<typeof codecOf>[0] {
  return messageOf(typesOf(sources.conformance), message.$typeName);
}

function compare(
  name: string,
  size: number,
  what: string,
  sides: readonly (() => unknown)[],
): void {
  const samples = sides.map((): number[] => []);
  const counts = sides.map((side) => repeats(side));
  for (let round = 0; round < ROUNDS; round++) {
    for (const [at, side] of sides.entries()) samples[at]?.push(time(side, counts[at] ?? 1));
  }
  const [baseline = 0, ours = 0] = samples.map(median);
  print([name, size, what, baseline.toFixed(1), ours.toFixed(1), (ours / baseline).toFixed(3)]);
}

/** How often to repeat it for one round, once it is warm. */
function repeats(side: () => unknown): number {
  let count = 1000;
  let each = time(side, count);
  for (let warm = 0; warm < 5; warm++) {
    count = Math.max(100, Math.round((ROUND_MS * 1e6) / each));
    each = time(side, count);
  }
  return count;
}

/** Nanoseconds each. */
function time(side: () => unknown, count: number): number {
  const start = performance.now();
  for (let at = 0; at < count; at++) side();
  return ((performance.now() - start) * 1e6) / count;
}

function median(samples: readonly number[]): number {
  return samples.toSorted((a, b) => a - b)[samples.length >> 1] ?? 0;
}

function print(cells: readonly (string | number)[]): void {
  process.stdout.write(`${cells.map((cell) => String(cell).padStart(11)).join("")}\n`);
}
