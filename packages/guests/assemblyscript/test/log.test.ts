import { create, toBinary } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import {
  EnabledRequestSchema,
  EnabledResponseSchema,
  Level,
  type Record as LogRecord,
  type Value,
  WriteRequestSchema,
  WriteResponseSchema,
} from "./gen/dropthrough/log/v1/log_pb.ts";
import { ArgumentsResponseSchema } from "./gen/dropthrough/kernel/v1/kernel_pb.ts";
import { failure, PlainHost } from "./plain-host.ts";
import { guestModule } from "./guests.ts";

const LOG = "dropthrough.log.v1.LogService";

/** Runs the guest that writes records, and answers them. */
async function written(argument = "", prepare?: (host: PlainHost) => void): Promise<LogRecord[]> {
  const host = new PlainHost();
  host.acceptKernelCalls();
  const records: LogRecord[] = [];
  host.methods.set("dropthrough.kernel.v1.KernelService/Arguments", () =>
    toBinary(ArgumentsResponseSchema, create(ArgumentsResponseSchema, { arguments: [argument] })),
  );
  host.typed(`${LOG}/Write`, WriteRequestSchema, WriteResponseSchema, ({ record }) => {
    if (record !== undefined) records.push(record);
    return {};
  });
  host.typed(`${LOG}/Enabled`, EnabledRequestSchema, EnabledResponseSchema, ({ level }) => ({
    enabled: level >= Level.INFO,
  }));
  prepare?.(host);
  await host.start(await guestModule("chatter"));
  return records;
}

/** A value as a plain one. */
function plain(value: Value | undefined): unknown {
  const kind = value?.kind;
  if (kind?.case === "list") return kind.value.values.map(plain);
  if (kind?.case === "map") return facts(kind.value.attributes);
  return kind?.value;
}

function facts(attributes: LogRecord["attributes"]): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, plain(value)]));
}

describe("log", () => {
  test("writes records of every level, with attributes of every type, nested as deep as one likes", async () => {
    const records = await written();
    expect(records.slice(0, 6).map(({ level, message }) => [level, message])).toEqual([
      [Level.TRACE, "t"],
      [Level.DEBUG, "d"],
      [Level.INFO, "i"],
      [Level.WARN, "w"],
      [Level.ERROR, "e"],
      [Level.FATAL, "f"],
    ]);
    expect(facts(records[2]?.attributes ?? [])).toEqual({
      s: "ü",
      int: -(2n ** 63n),
      double: 1.5,
      bool: true,
      bytes: Uint8Array.of(1, 255),
      list: ["a", 1n, 0.5, false, Uint8Array.of(1, 255), [], { n: 1n }],
      map: { inner: { k: "v" } },
    });
    expect(records[3]?.error).toMatchObject({ type: "NOT_FOUND", message: "no such key" });
    expect(records[4]?.error).toMatchObject({ type: "UNAVAILABLE", message: "" });
    expect(records[5]?.error).toBeUndefined();
  });

  test("tells what is enabled, so that a guest need not put together what nobody reads", async () => {
    expect((await written()).slice(6).map(({ message }) => message)).toEqual([
      "debug is off",
      "info is on",
    ]);
  });

  test("that is not granted, or does not answer, ends no guest", async () => {
    const records = await written("", (host) => {
      host.refused.set(`${LOG}/Enabled`, 7);
      host.methods.set(`${LOG}/Write`, () => failure(8, "too much"));
    });
    expect(records).toEqual([]);
    await written("console", (host) => host.refused.set(`${LOG}/Write`, 7));
  });
});

test("console writes into the log, a record for each line", async () => {
  expect((await written("console")).map(({ level, message }) => [level, message])).toEqual([
    [Level.INFO, "one"],
    [Level.INFO, "two"],
    [Level.INFO, ""],
    [Level.INFO, "four"],
    [Level.DEBUG, "d"],
    [Level.INFO, ""],
    [Level.WARN, "w"],
    [Level.ERROR, "e"],
  ]);
});
