import { getEventListeners } from "node:events";
import { expect, test } from "vitest";
import { Gate } from "../src/server/gate.ts";

test("who has gone through a gate, or was refused, leaves nothing with the signal of its call", async () => {
  const { signal } = new AbortController();
  for (const leave of ["open", "bar"] as const) {
    const gate = new Gate(60_000);
    const passed = [1, 2].map(async () => gate.pass(signal));
    gate[leave]();
    expect(await Promise.all(passed)).toEqual([leave === "open", leave === "open"]);
    expect(getEventListeners(signal, "abort")).toHaveLength(0);
  }
});
