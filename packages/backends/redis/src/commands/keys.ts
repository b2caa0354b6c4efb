import type { CommandSpecs } from "../command.ts";
import type { Reply } from "../connection.ts";
import { KeyType } from "../gen/dropthrough/redis/v1/keys_pb.ts";
import { invalid } from "../redis-error.ts";
import { bytes, integer } from "../reply.ts";
import { cursorWord, readScan, scanWords } from "./scan.ts";

/** The names that Redis has for what a key holds, by KeyType. */
const TYPES = ["none", "string", "hash", "list", "set", "zset", "stream"];

/** Keys of any type. */
export const keys: CommandSpecs<"scan" | "rename" | "typeOf"> = {
  scan: {
    write(request, space) {
      const { match, type } = request;
      const ofType = type === KeyType.UNSPECIFIED ? [] : ["TYPE", typeWord(type)];
      // Without a pattern, a guest that has a prefix still gets its own keys only.
      const everything = match.length === 0 && !space.isolated;
      const pattern = everything ? match : space.pattern(match.length === 0 ? ANY : match);
      return {
        args: ["SCAN", cursorWord(request), ...scanWords(request, Buffer.from(pattern)), ...ofType],
      };
    },
    read(reply, _, space) {
      const { cursor, found } = readScan(reply);
      return { cursor, keys: found.map((key) => space.strip(bytes(key))) };
    },
  },
  rename: {
    write: ({ key, newKey, ifAbsent }, space) => ({
      args: [ifAbsent ? "RENAMENX" : "RENAME", space.key(key), space.key(newKey)],
    }),
    read: (reply) => ({ renamed: reply === "OK" || integer(reply) === 1n }),
  },
  typeOf: {
    write: ({ key }, space) => ({ args: ["TYPE", space.key(key)] }),
    read: (reply) => ({ type: typeOf(reply) }),
  },
};

const ANY = Buffer.from("*");

function typeWord(type: KeyType): string {
  const name = TYPES[type];
  if (name === undefined) throw invalid(`type ${type} cannot be looked for`);
  return name;
}

function typeOf(reply: Reply): KeyType {
  const type = typeof reply === "string" ? TYPES.indexOf(reply) : -1;
  return type < 0 ? KeyType.OTHER : (type as KeyType);
}
