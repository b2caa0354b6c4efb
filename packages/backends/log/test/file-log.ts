import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Writable } from "node:stream";
import { ConnectError } from "@connectrpc/connect";
import { type InMemory, inMemory } from "@dropthrough/dispatch/testing";
import { expect, onTestFinished } from "vitest";
import { Level, log, type LogBackend, type LogOptions, type LogService } from "../src/index.ts";

/** One line, as a program reads it. */
export type Line = Record<string, unknown>;

/** A log into a real file. */
export interface FileLog {
  readonly path: string;
  readonly backend: LogBackend;
  readonly memory: InMemory<typeof LogService>;
  /** What stands in the file now. */
  readonly text: () => string;
  readonly lines: () => Line[];
}

/** A folder that is gone when the test is. */
export function scratch(): string {
  const folder = mkdtempSync(join(tmpdir(), "dropthrough-log-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** A log, and who calls it. */
export type Written = Pick<FileLog, "backend" | "memory">;

/** Makes a log into a stream, or the file at a path. */
export function logInto(to: Writable | string, options: LogOptions = {}): Written {
  const backend = log({ ...(typeof to === "string" ? { file: to } : { stream: to }), ...options });
  const memory = inMemory(backend);
  onTestFinished(async () => memory[Symbol.asyncDispose]());
  return { backend, memory };
}

/** Writes one record. */
export async function say({ memory }: Pick<Written, "memory">, message: string): Promise<void> {
  await memory.client("a").write({ record: { level: Level.INFO, message } });
}

/** Makes a log into a file of its own. */
export function fileLog(options: LogOptions = {}): FileLog {
  const path = join(scratch(), "log");
  const text = (): string => readFileSync(path, "utf8");
  return { path, ...logInto(path, options), text, lines: () => linesOf(text()) };
}

export function linesOf(text: string): Line[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Line);
}

/** What a call that has to fail failed with. */
export async function failure(promise: Promise<unknown>): Promise<ConnectError> {
  return promise.then(
    () => expect.fail("it succeeded"),
    (error: unknown) => ConnectError.from(error),
  );
}
