import { ModuleError } from "@dropthrough/abi";
import { brokenManifests, withManifest } from "@dropthrough/guest-text";
import { kernel } from "@dropthrough/kernel";
import { describe, expect, test } from "vitest";
import { check, type Config, graph, inspect } from "../src/index.ts";
import { FACADE, facade } from "./guests.ts";

describe.each(brokenManifests(FACADE))("a manifest $title", ({ content, refusal }) => {
  const module = withManifest(facade(), content);
  const config: Config = {
    backends: [kernel()],
    guests: [{ name: "odd", module, exports: [FACADE] }],
  };
  const refused = expect.stringContaining(refusal ?? "fits together") as string;

  test("is told by check in one sentence, or is fine", async () => {
    const findings = await check(config);
    if (refusal === undefined) expect(findings).toEqual([]);
    else expect(findings.map(({ message }) => message)).toContainEqual(refused);
  });

  test("is told by graph, which draws the guest in any case", async () => {
    const warnings: string[] = [];
    const text = await graph(config, { warn: (message) => warnings.push(message) });
    expect(text).toContain("odd");
    expect(warnings).toEqual(refusal === undefined ? [] : [refused]);
  });

  test("is told by inspect in one sentence, or is shown", () => {
    if (refusal === undefined) return expect(inspect(module).manifest?.exports).toEqual([FACADE]);
    let error: unknown;
    try {
      inspect(module);
    } catch (cause) {
      error = cause;
    }
    expect(error).toBeInstanceOf(ModuleError);
    return expect((error as ModuleError).message).toEqual(refused);
  });
});
