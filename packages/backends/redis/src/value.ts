import type { MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Reply } from "./connection.ts";
import type { ValueSchema } from "./gen/dropthrough/redis/v1/values_pb.ts";

type Value = MessageInitShape<typeof ValueSchema>;

const DEEPEST = 32;

/** A reply to an `exact` command, as the contract has it: a string that is all digits is a whole number. */
export function toValue(reply: Reply, depth = 0): Value {
  if (depth > DEEPEST) {
    throw new ConnectError("the reply is more than 32 deep", Code.ResourceExhausted);
  }
  if (reply === null) return {};
  if (typeof reply === "string") {
    return /^-?\d+$/.test(reply) ? integer(BigInt(reply)) : of("status", reply);
  }
  if (typeof reply === "bigint") return integer(reply);
  if (typeof reply === "boolean") return of("boolean", reply);
  if (typeof reply === "number") return of("double", reply);
  if (reply instanceof Uint8Array) return of("bytes", reply);
  if (reply instanceof Error) return of("error", reply.message);
  const values = reply.map((item) => toValue(item, depth + 1));
  return of("list", { values });
}

/** The same for a reply that is keys and values by turns. */
export function toMap(reply: Reply): Value {
  const { kind } = toValue(reply);
  if (kind?.case !== "list") return kind === undefined ? {} : { kind };
  const values = kind.value.values ?? [];
  const pairs = Array.from({ length: values.length / 2 }, (_, i) => ({
    key: values[2 * i] ?? {},
    value: values[2 * i + 1] ?? {},
  }));
  return of("map", { pairs });
}

const fits = (value: bigint): boolean => BigInt.asIntN(64, value) === value;

function integer(value: bigint): Value {
  return fits(value) ? of("integer", value) : of("bigNumber", String(value));
}

type Kind = NonNullable<Value["kind"]>;

function of<C extends Kind["case"]>(name: C, value: Extract<Kind, { case: C }>["value"]): Value {
  return { kind: { case: name, value } as Kind };
}
