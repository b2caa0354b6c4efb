import type { CommandSpecs } from "../command.ts";
import { integer } from "../reply.ts";
import { words } from "./arguments.ts";

const CONDITIONS = ["", "NX", "XX", "GT", "LT"];

/** How long keys live. */
export const expiry: CommandSpecs<"expire" | "expireAt" | "persist" | "timeToLive"> = {
  expire: {
    write: ({ key, ttlMs, condition }, keys) => ({
      args: ["PEXPIRE", keys.key(key), String(ttlMs), ...words(CONDITIONS, condition, "condition")],
    }),
    read: (reply) => ({ applied: integer(reply) === 1n }),
  },
  expireAt: {
    write: ({ key, atMs, condition }, keys) => ({
      args: [
        "PEXPIREAT",
        keys.key(key),
        String(atMs),
        ...words(CONDITIONS, condition, "condition"),
      ],
    }),
    read: (reply) => ({ applied: integer(reply) === 1n }),
  },
  persist: {
    write: ({ key }, keys) => ({ args: ["PERSIST", keys.key(key)] }),
    read: (reply) => ({ applied: integer(reply) === 1n }),
  },
  timeToLive: {
    write: ({ key }, keys) => ({ args: ["PTTL", keys.key(key)] }),
    read(reply) {
      // -2: no such key; -1: it never expires.
      const ttlMs = integer(reply);
      return ttlMs < 0n ? { exists: ttlMs === -1n } : { exists: true, ttlMs };
    },
  },
};
