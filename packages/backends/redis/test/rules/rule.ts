import { type Client, Code, ConnectError } from "@connectrpc/connect";
import { expect } from "vitest";
import type { RedisService } from "../../src/index.ts";

/** What a rule gets. */
export interface RuleWorld {
  readonly client: Client<typeof RedisService>;
  /** An open connection of `client`. */
  readonly connectionId: string;
  /** Another caller of the same backend. */
  readonly stranger: Client<typeof RedisService>;
  /** Ends `client`, as when its guest exits. */
  readonly end: () => Promise<void>;
}

/** One thing that is true of every Redis behind the contract. */
export interface Rule {
  /** A claim. */
  readonly name: string;
  readonly prove: (world: RuleWorld) => Promise<void>;
}

export function rule(name: string, prove: Rule["prove"]): Rule {
  return { name, prove };
}

/** Text as bytes. */
export function b(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Bytes as text. */
export function t(bytes: Uint8Array | undefined): string | undefined {
  return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
}

/** The error of a call that must fail with a code. */
export async function fails(promise: Promise<unknown>, code: Code): Promise<ConnectError> {
  const error = await promise.then(
    (value) =>
      expect.fail(
        `it succeeded: ${JSON.stringify(value, (_, v) => (typeof v === "bigint" ? String(v) : v))}`,
      ),
    (reason: unknown) => ConnectError.from(reason),
  );
  expect({ code: Code[error.code], message: error.message }).toMatchObject({ code: Code[code] });
  return error;
}

/** Every byte there is. */
export const allBytes: Uint8Array = Uint8Array.from({ length: 256 }, (_, i) => i);
