import { expect, test } from "vitest";
import { playTwice } from "../src/play.ts";
import { scenarios } from "../src/scenarios/index.ts";

test.each(scenarios)("$name: $claim", async (scenario) => {
  await expect(playTwice(scenario, 0)).resolves.toBeUndefined();
});

test("every scenario has a name of its own", () => {
  const names = scenarios.map((scenario) => scenario.name);
  expect(names).toEqual([...new Set(names)]);
});
