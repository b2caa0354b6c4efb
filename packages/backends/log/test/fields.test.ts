import { Code, ConnectError } from "@connectrpc/connect";
import { createRegistry, LocalCaller } from "@dropthrough/dispatch";
import { floods } from "@dropthrough/dispatch/testing";
import { expect, test } from "vitest";
import { DEFAULT_LOG_LIMITS, log, LogService } from "../src/index.ts";

const registry = createRegistry();
registry.use(log({ level: "off" }));
const session = registry.connect(new LocalCaller("hostile"));

/** What a method answers to a request, at once. */
function refusal(method: string, request: Uint8Array = new Uint8Array()): ConnectError | undefined {
  try {
    session.bind(`${LogService.typeName}/${method}`).start(request, 0, request.length, 0);
    return undefined;
  } catch (error) {
    return ConnectError.from(error);
  }
}

const { fields, batch } = DEFAULT_LOG_LIMITS;

test.each(LogService.methods.map(({ name, input }) => ({ name, input })))(
  "$name of more small parts than a request may hold, wherever they stand, is RESOURCE_EXHAUSTED before it is decoded",
  { timeout: 20_000 },
  ({ name, input }) => {
    const most = fields;
    for (const { path, request } of floods(input, most + 1)) {
      const error = refusal(name, request);
      expect(error?.code, path).toBe(Code.ResourceExhausted);
      expect(error?.rawMessage, path).toContain(`holds more than ${most} fields`);
    }
  },
);

test("as many parts as a request may hold are decoded, and looked at", () => {
  const [records] = floods(LogService.method.writeBatch.input, fields);
  const error = refusal("WriteBatch", records?.request);
  expect(error?.code).toBe(Code.ResourceExhausted);
  expect(error?.rawMessage).toContain(`${fields} records are above the limit of ${batch}`);
});
