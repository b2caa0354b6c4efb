import { Code, ConnectError } from "@connectrpc/connect";
import { createRegistry, LocalCaller } from "@dropthrough/dispatch";
import { floods } from "@dropthrough/dispatch/testing";
import { expect, test } from "vitest";
import { redis, RedisService } from "../src/index.ts";
import { DEFAULT_REDIS_LIMITS } from "../src/redis-limits.ts";

const registry = createRegistry();
registry.use(redis({ embedded: true }));
const session = registry.connect(new LocalCaller("hostile"));

/** What a method answers to a request, at once. */
function refusal(method: string, request: Uint8Array = new Uint8Array()): ConnectError | undefined {
  try {
    session.bind(`${RedisService.typeName}/${method}`).start(request, 0, request.length, 0);
    return undefined;
  } catch (error) {
    return ConnectError.from(error);
  }
}

const { fields, increments } = DEFAULT_REDIS_LIMITS;

test.each(RedisService.methods.map(({ name, input }) => ({ name, input })))(
  "$name of more small parts than a request may hold, wherever they stand, is RESOURCE_EXHAUSTED before it is decoded",
  ({ name, input }) => {
    const most = name === "SortedSetIncrement" ? 4 * increments : fields;
    for (const { path, request } of floods(input, most + 1)) {
      const error = refusal(name, request);
      expect(error?.code, path).toBe(Code.ResourceExhausted);
      expect(error?.rawMessage, path).toContain(`holds more than ${most} fields`);
    }
  },
);

test("as many parts as a request may hold are decoded, and looked at", () => {
  const { multiGet, sortedSetIncrement } = RedisService.method;
  const [, keys] = floods(multiGet.input, fields);
  expect(refusal("MultiGet", keys?.request)).toBeUndefined();
  const [, , each] = floods(sortedSetIncrement.input, 4 * increments);
  const error = refusal("SortedSetIncrement", each?.request);
  expect(error?.code).toBe(Code.ResourceExhausted);
  expect(error?.rawMessage).not.toContain("fields");
});
