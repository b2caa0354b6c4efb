import type { CommandSpecs } from "../command.ts";
import type { Argument } from "../connection.ts";
import { type SetRequest, SetCondition } from "../gen/dropthrough/redis/v1/strings_pb.ts";
import { integer, list, optionalBytes, optionalValue } from "../reply.ts";
import { own, positive, some, word } from "./arguments.ts";

/** Values that are bytes. */
export const strings: CommandSpecs<
  "get" | "set" | "delete" | "exists" | "multiGet" | "multiSet" | "increment"
> = {
  get: {
    write: ({ key }, keys) => ({ args: ["GET", keys.key(key)] }),
    read: (reply) => optionalValue(reply),
  },
  set: {
    write: (request, keys) => ({
      args: ["SET", keys.key(request.key), own(request.value), ...setOptions(request)],
    }),
    read(reply, { condition, get }) {
      if (!get) return { written: reply !== null };
      const previous = optionalBytes(reply);
      const met =
        condition === SetCondition.UNSPECIFIED ||
        (condition === SetCondition.IF_PRESENT) === (previous !== undefined);
      return previous === undefined ? { written: met } : { written: met, previous };
    },
  },
  delete: {
    write: (request, keys) => ({ args: ["DEL", ...keys.keys(some(request.keys, "key"))] }),
    read: (reply) => ({ deleted: integer(reply) }),
  },
  exists: {
    write: (request, keys) => ({ args: ["EXISTS", ...keys.keys(some(request.keys, "key"))] }),
    read: (reply) => ({ existing: integer(reply) }),
  },
  multiGet: {
    write: (request, keys) => ({ args: ["MGET", ...keys.keys(some(request.keys, "key"))] }),
    read: (reply) => ({ values: list(reply).map((value) => optionalValue(value)) }),
  },
  multiSet: {
    write: ({ pairs }, keys) => ({
      args: [
        "MSET",
        ...some(pairs, "pair").flatMap(({ key, value }) => [keys.key(key), own(value)]),
      ],
    }),
    read: () => ({}),
  },
  increment: {
    write: ({ key, by }, keys) => ({
      args: ["INCRBY", keys.key(key), String(by ?? 1n)],
      exact: true,
    }),
    read: (reply) => ({ value: integer(reply) }),
  },
};

const SET_CONDITIONS = ["", "NX", "XX"];

function setOptions({ expiry, condition, get }: SetRequest): Argument[] {
  const options: Argument[] = word(SET_CONDITIONS, condition, "condition");
  if (get) options.push("GET");
  if (expiry.case === "expireInMs") options.push("PX", positive(expiry.value, "expire_in_ms"));
  if (expiry.case === "expireAtMs") options.push("PXAT", positive(expiry.value, "expire_at_ms"));
  if (expiry.case === "keepTtl" && expiry.value) options.push("KEEPTTL");
  return options;
}
