import type { Client, Code } from "@connectrpc/connect";
import { ListEnd, type RedisService } from "../../src/index.ts";
import { b } from "../rules/rule.ts";

export type Redis = Client<typeof RedisService>;

/** An rpc, a code that it answers, when, and what provokes that. */
export type Row = [rpc: string, code: Code, when: string, call: (c: Redis) => Promise<unknown>];

interface Key {
  readonly key: Uint8Array;
}

/** Before each row there is text at `text`, a list of one element at `list`, and nothing at `absent`. */
export const text: Key = { key: b("text") };
export const list: Key = { key: b("list") };
export const absent: Key = { key: b("absent") };
export const field: Uint8Array = b("f");
export const member: Uint8Array = b("m");
export const LEFT = ListEnd.LEFT;
