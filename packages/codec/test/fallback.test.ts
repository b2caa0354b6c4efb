import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, test, vi } from "vitest";
import { codecOf } from "../src/index.ts";
import { Chance } from "./chance.ts";
import { messageOf, messagesOf, sources, typesOf } from "./contracts.ts";
import { Duel } from "./duel.ts";

const SEEDS = 100;
const fuzz = fileURLToPath(new URL("../scripts/fuzz.ts", import.meta.url));

test("a codec that shall not be compiled leaves the work to protobuf-es", () => {
  const types = messagesOf(sources.corners);
  const duel = new Duel(types, (desc) => codecOf(desc, { compile: false }));
  for (let seed = 1; seed <= SEEDS; seed++) duel.round(new Chance(seed));
  expect(duel.decoded).toBeGreaterThan(SEEDS);
  expect(types.some((desc) => codecOf(desc, { compile: false }).compiled)).toBe(false);
});

describe("where protobuf-es must do the work, it does", () => {
  test.each([
    ["no code may be generated", ["--disallow-code-generation-from-strings"], {}],
    ["64-bit numbers are strings", [], { BUF_BIGINT_DISABLE: "1" }],
  ])("%s", (_what, flags, env) => {
    const args = [...flags, fuzz, "--seconds", "1", "--seed", "1", "--expect", "protobuf-es"];
    const output = execFileSync(process.execPath, args, {
      encoding: "utf8",
      env: { ...process.env, ...env },
    });
    expect(output).toContain("no difference");
  });
});

describe("without Node's Buffer, as in a browser", () => {
  afterEach(() => {
    vi.unstubAllGlobals();
    vi.resetModules();
  });

  test("messages are decoded and encoded all the same", async () => {
    const types = messagesOf(sources.corners);
    vi.stubGlobal("Buffer", undefined);
    vi.resetModules();
    const browser = await import("../src/index.ts");
    const duel = new Duel(types, browser.codecOf);
    for (let seed = 1; seed <= SEEDS; seed++) duel.round(new Chance(seed));
    expect(types.map((desc) => browser.codecOf(desc).compiled)).not.toContain(false);
    expect(duel.decoded).toBeGreaterThan(SEEDS);
  });
});

test("a refusal of the fallback is a CodecError that names the message", () => {
  const desc = messageOf(typesOf(sources.corners), "dropthrough.codec.test.Corner");
  const codec = codecOf(desc, { compile: false });
  const refused = (): unknown => codec.decode(Uint8Array.of(8), 0, 1);
  expect(refused).toThrow("cannot decode dropthrough.codec.test.Corner: premature EOF");
  expect(refused).toThrow(expect.objectContaining({ name: "CodecError", typeName: desc.typeName }));
});
