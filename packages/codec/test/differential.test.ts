import { expect, test } from "vitest";
import { codecOf } from "../src/index.ts";
import { Chance } from "./chance.ts";
import { messagesOf, sources } from "./contracts.ts";
import { Duel } from "./duel.ts";

const SEEDS = 150;

test.each(Object.entries(sources))(
  "random messages, init values and broken bytes of the %s become what they become with protobuf-es",
  (_name, folder) => {
    const types = messagesOf(folder);
    const duel = new Duel(types);
    for (let seed = 1; seed <= SEEDS; seed++) duel.round(new Chance(seed));
    expect(types.map((desc) => codecOf(desc).compiled)).not.toContain(false);
    // Neither side only refuses, or only takes what it is given.
    expect(duel.decoded).toBeGreaterThan(SEEDS);
    expect(duel.refused).toBeGreaterThan(SEEDS);
  },
);
