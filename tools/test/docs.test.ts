import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";

const read = (path: string): string =>
  readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");

interface Step {
  [step: string]: unknown;
  writes?: Record<string, string>;
  answer?: number;
}

describe("docs/ABI.md", () => {
  const { cases } = JSON.parse(read("packages/abi/fixtures/vectors.json")) as {
    cases: { name: string; steps: Step[] }[];
  };
  const blocks = [...read("docs/ABI.md").matchAll(/<!-- vectors: (\w+) -->\n```\n([^`]+)```/g)];
  const named: Record<string, string> = {
    call: "call of a synchronous method writes the response and answers its length",
    parked: "a response that does not fit is parked, and read in pieces",
    failed: "a failure parks a Status",
    reply: "an incoming call is read and replied to",
  };

  test("shows every example that it names", () => {
    expect(new Set(blocks.map(([, name]) => name))).toEqual(new Set(Object.keys(named)));
  });

  test.each(blocks.map(([, name = "", block = ""]) => ({ name, block })))(
    "the example $name is a test vector, line by line",
    ({ name, block }) => {
      const vector = cases.find((c) => c.name === named[name]);
      const lines = new Set((vector?.steps ?? []).flatMap(show));
      expect(vector, `no vector is called "${named[name]}"`).toBeDefined();
      for (const line of block.trim().split("\n"))
        expect([...lines], `${name}: ${line}`).toContain(line);
    },
  );

  test("its table of result words is what @dropthrough/abi reads in them", async () => {
    const { readWord } = await import("@dropthrough/abi");
    expect([5, -16777218, -352321538, -33554434, -553648129].map(readWord)).toEqual([
      { state: "done", length: 5 },
      { state: "parked", call: 1, code: 0 },
      { state: "parked", call: 1, code: 5 },
      { state: "pending", call: 1 },
      { state: "parked", call: 0, code: 8 },
    ]);
    for (const word of [
      "`-16777218` | `0x01000001`",
      "`-352321538` | `0x15000001`",
      "`-33554434` | `0x02000001`",
      "`-553648129` | `0x21000000`",
    ]) {
      expect(read("docs/ABI.md")).toContain(word);
      const [, value, bits] = /`(-\d+)` \| `(0x\w+)`/.exec(word) ?? [];
      expect(~Number(value)).toBe(Number(bits));
    }
  });

  test("lists the imports and exports that the host knows, with their signatures", async () => {
    const { EXPORTS, IMPORTS } = await import("@dropthrough/abi");
    const page = read("docs/ABI.md");
    for (const [name, signature] of [...IMPORTS, ...EXPORTS]) {
      const row = page.split("\n").find((line) => line.startsWith(`| \`${name}\` | \``));
      const [, shown = ""] = /\| `(\([^`]*)` \|/.exec(row ?? "") ?? [];
      const arity = (text: string): number =>
        /\(([^)]*)\)/
          .exec(text)?.[1]
          ?.split(",")
          .filter((p) => p.trim() !== "").length ?? -1;
      expect(arity(shown), name).toBe(arity(signature));
      expect(shown.split("->")[1]?.trim(), name).toBe(signature.split("->")[1]?.trim());
    }
  });
});

/** A step of a vector as the page writes it. */
function show(step: Step): string[] {
  const lines: string[] = [];
  const memory = (bytes: Record<string, string>): void => {
    for (const [at, hex] of Object.entries(bytes))
      lines.push(`memory ${at}: ${hex.match(/../g)?.join(" ") ?? ""}`);
  };
  if (step["put"] !== undefined) memory(step["put"] as Record<string, string>);
  if (step["incoming"] !== undefined)
    lines.push(`serve(1, method, ${(step["incoming"] as string).length / 2})`);
  for (const name of ["bind", "call", "wait", "read", "reply", "release"]) {
    if (step[name] !== undefined)
      lines.push(`${name}(${(step[name] as number[]).join(", ")}) = ${step.answer}`);
  }
  memory(step.writes ?? {});
  return lines;
}
