// `pnpm fuzz [--seconds N] [--seed N] [--expect compiled|protobuf-es]`: random messages and broken bytes, the codec
// against protobuf-es. A difference names its seed.
import { parseArgs } from "node:util";
import { codecOf } from "../src/index.ts";
import { Chance } from "../test/chance.ts";
import { messagesOf, sources } from "../test/contracts.ts";
import { Duel } from "../test/duel.ts";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "10" },
    expect: { type: "string", default: "compiled" },
    seed: { type: "string", default: String(Date.now() % 1_000_000_007) },
  },
});
const until = performance.now() + Number(values.seconds) * 1000;
const types = Object.values(sources).flatMap(messagesOf);
const compiled = types.every((desc) => codecOf(desc).compiled) ? "compiled" : "protobuf-es";
if (compiled !== values.expect) throw new Error(`${compiled}, and not ${values.expect}`);
const duel = new Duel(types);
const first = Number(values.seed);
let seed = first;
for (; performance.now() < until; seed++) duel.round(new Chance(seed));
process.stdout.write(
  `${types.length} message types, seeds ${first} to ${seed - 1}: ${duel.created} created of init values, ${duel.messages} messages (${duel.unencodable} refused ` +
    `by both), ${duel.decoded} byte strings decoded, ${duel.refused} refused by both; no difference\n`,
);
