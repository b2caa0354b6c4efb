import { Writable } from "node:stream";
import { Code, ConnectError } from "@connectrpc/connect";
import { createRegistry, LocalCaller } from "@dropthrough/dispatch";
import { floods } from "@dropthrough/dispatch/testing";
import { expect, test } from "vitest";
import { DEFAULT_LOG_LIMITS, log, LogService } from "../src/index.ts";

const registry = createRegistry();
registry.use(log({ level: "off" }));
const session = registry.connect(new LocalCaller("hostile"));
const { fields, batch } = DEFAULT_LOG_LIMITS;

/** What a method answers to a request, at once. */
function refusal(method: string, request: Uint8Array = new Uint8Array()): ConnectError | undefined {
  try {
    session.bind(`${LogService.typeName}/${method}`).start(request, 0, request.length, 0);
    return undefined;
  } catch (error) {
    return ConnectError.from(error);
  }
}

test("the operator is told of a request of too many parts, as of one record", async () => {
  const lines: { refused?: number; msg: string }[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _, done) {
      for (const line of chunk.toString().trim().split("\n")) lines.push(JSON.parse(line));
      done();
    },
  });
  const logs = log({ stream, pretty: false });
  const told = createRegistry();
  told.use(logs);
  const guest = told.connect(new LocalCaller("hostile"));
  for (const [name, count] of [
    ["Enabled", 0],
    ["Write", 1],
    ["WriteBatch", 2],
  ] as const) {
    const bound = guest.bind(`${LogService.typeName}/${name}`);
    const [flood] = floods(LogService.method.writeBatch.input, fields + 1);
    const request = flood?.request ?? new Uint8Array();
    expect(() => bound.start(request, 0, request.length, 0)).toThrow(`more than ${fields} fields`);
    expect(logs.counts().refused).toBe(count);
  }
  await told[Symbol.asyncDispose]();
  expect(lines).toMatchObject([
    {
      guest: "hostile",
      refused: 2,
      msg: expect.stringContaining(`WriteBatchRequest holds more than ${fields} fields`),
    },
  ]);
});

test.each(LogService.methods.map(({ name, input }) => ({ name, input })))(
  "$name of more small parts than a request may hold, wherever they stand, is RESOURCE_EXHAUSTED before it is decoded",
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
