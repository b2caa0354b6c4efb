import { expect, test } from "vitest";
import { createRegistry, DEFAULT_DISPATCH_LIMITS } from "../src/index.ts";

test("a limit that is undefined is not set", () => {
  const unset = { depth: undefined, guestFields: 5 } as unknown as { depth: number };
  expect(createRegistry({ limits: unset }).limits).toEqual({
    ...DEFAULT_DISPATCH_LIMITS,
    guestFields: 5,
  });
});

test.each<[string, object, string]>([
  ["NaN", { depth: Number.NaN }, 'limits: "depth" must be a number, 0 or more'],
  ["endless", { depth: Infinity }, 'limits: "depth" must be a number, 0 or more'],
  ["below 0", { guestFields: -1 }, 'limits: "guestFields" must be a number, 0 or more'],
  ["a text", { depth: "5" }, 'limits: "depth" must be a number, 0 or more'],
  [
    "unknown",
    { fields: 5 },
    'limits: "fields" is unknown; there is defaultTimeoutMs, depth, guestFields',
  ],
])("a limit that is %s is refused: it would be no bound at all", (_, limits, message) => {
  expect(() => createRegistry({ limits })).toThrow(TypeError);
  expect(() => createRegistry({ limits })).toThrow(message);
});
