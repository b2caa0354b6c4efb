import { XMLParser, XMLValidator } from "fast-xml-parser";
import { afterAll, describe, expect, test } from "vitest";
import { graph, loadConfig } from "../src/index.ts";
import { DeploymentFolder } from "./deployment-folder.ts";
import { caller, ECHO, FACADE, idle } from "./guests.ts";

const folder = new DeploymentFolder();
afterAll(() => folder[Symbol.dispose]());

/** Every text of an SVG picture; fails unless it is well-formed. */
function textsOf(svg: string): string[] {
  expect(XMLValidator.validate(svg)).toBe(true);
  const texts: string[] = [];
  const walk = (value: unknown, inText: boolean): void => {
    if (typeof value === "object" && value !== null)
      for (const [key, inner] of Object.entries(value))
        walk(inner, key === "text" || (inText && (key === "#text" || /^\d+$/.test(key))));
    else if (inText) texts.push(String(value));
  };
  walk(new XMLParser({ htmlEntities: true }).parse(svg), false);
  return texts;
}

const names = folder.config("all", [
  {
    name: "client",
    module: folder.guest("client", caller(), { requires: [FACADE, "x.v1.Gone"] }),
    main: true,
    grants: [`${FACADE}/Relay`, `${FACADE}/Other`, `${ECHO}/*`],
  },
  ...["one", "two"].map((name) => ({
    name,
    module: folder.guest(name, idle(), { exports: [FACADE], requires: [ECHO] }),
    exports: [FACADE],
    instances: 3,
  })),
  { name: "unbuilt", module: "nowhere.wasm", grants: [`${ECHO}/Echo`] },
]);

describe("dropthrough graph", () => {
  test("tells who requires and may call what, of whom, with which grants", async () => {
    const { code, stdout, stderr } = await folder.dropthrough(["graph", names]);
    expect(stdout).toBe(`client (main, command)
  requires ${FACADE} of one: Relay, Other
  requires ${FACADE} of two: Relay, Other
  requires x.v1.Gone of nobody: nothing granted
  may call ${ECHO} of echo: all methods
one (3 instances) exports ${FACADE}
  requires ${ECHO} of echo: nothing granted
two (3 instances) exports ${FACADE}
  requires ${ECHO} of echo: nothing granted
unbuilt (not built)
  may call ${ECHO} of echo: Echo
echo (backend) answers for ${ECHO}
kernel (backend, every guest may call it) answers for dropthrough.kernel.v1.KernelService
`);
    expect(stderr).toContain('dropthrough: guest "unbuilt": its module cannot be read');
    expect(code).toBe(0);
  });

  test("as Mermaid draws requirements through, and grants alone dotted", async () => {
    const { stdout } = await folder.dropthrough(["graph", names, "--format", "mermaid"]);
    for (const line of [
      "flowchart LR",
      '  n0("client<br/>main, command")',
      '  n4[("echo")]',
      `  n0 -->|"${FACADE}<br/>Relay, Other"| n2`,
      `  n0 -.->|"${ECHO}<br/>all methods"| n4`,
      '  n6["nobody serves<br/>x.v1.Gone"]',
      "  class n6 nobody",
    ]) {
      expect(stdout.split("\n")).toContain(line);
    }
  });

  test("as SVG is a picture with all of it", async () => {
    const { stdout } = await folder.dropthrough(["graph", names, "--format", "svg"]);
    const texts = textsOf(stdout);
    for (const text of [
      "client",
      "two",
      FACADE,
      "requires Facade",
      "Relay, Other",
      "nobody serves",
    ])
      expect(texts).toContain(text);
  });

  test("takes no format that it does not know", async () => {
    const { code, stderr } = await folder.dropthrough(["graph", "--format", "png"]);
    expect(stderr).toBe(
      'dropthrough: "png" is no format of graph: there is text, mermaid, svg (see dropthrough --help)\n',
    );
    expect(code).toBe(194);
  });

  test("lets no manifest draw, forge a line or break the picture", async () => {
    const hostile = [
      'x.</text><script>alert("1")</script>',
      'y"] --> n9["z',
      "back\\N\\lslash & <b>",
      "line\nguest (main) exports all\u001b[2J",
      "non\ufffecharacter\u202e",
      "z".repeat(5_000),
    ];
    const module = folder.guest("hostile", caller(), { requires: hostile });
    const config = await loadConfig(
      `${folder.path}/${folder.config("hostile", [{ name: "a", module }])}`,
    );
    const [text, mermaid, svg] = await Promise.all([
      graph(config),
      graph(config, { format: "mermaid" }),
      graph(config, { format: "svg" }),
    ]);
    expect(text.split("\n")).toHaveLength(9);
    expect(text).not.toContain("z".repeat(121));
    for (const mark of ["\u001b", "\u202e"]) expect(text).not.toContain(mark);
    expect(mermaid).not.toContain("<script");
    // Two for each of the 9 nodes and 6 edges: none comes from a name.
    expect(mermaid.match(/"/g)).toHaveLength(30);
    expect(mermaid).toContain("y#34;#93; --#62; n9#91;#34;z");
    expect(mermaid).toContain("z".repeat(120));
    expect(mermaid).not.toContain("z".repeat(121));
    expect(svg).not.toContain("<script");
    expect(svg.length).toBeLessThan(30_000);
    expect(textsOf(svg).join(" ")).toContain('x.</text><script>alert("1")</script>');
  });

  test("bounds what one manifest may add", async () => {
    const requires = Array.from({ length: 300 }, (_, i) => `x.S${i}`);
    const module = folder.guest("greedy", caller(), { requires });
    const warnings: string[] = [];
    const config = await loadConfig(
      `${folder.path}/${folder.config("greedy", [{ name: "a", module }])}`,
    );
    const text = await graph(config, { warn: (message) => warnings.push(message) });
    expect(text.split("\n")).toHaveLength(1 + 256 + 2);
    expect(warnings).toEqual([
      'guest "a" requires 300 services, more than the 256 that it may: the rest is left out',
    ]);
  });

  /** As many guests that all may call each other. */
  const crowd = (count: number): Parameters<typeof graph>[0] => ({
    guests: Array.from({ length: count }, (_, i) => ({
      name: `g${i}`,
      module: idle(),
      exports: ["x.S"],
      grants: ["x.S/*"],
    })),
  });

  test("lays out no picture that would take minutes, and says what to take instead", async () => {
    await expect(graph(crowd(40), { format: "svg" })).rejects.toThrow(
      "a picture of 1600 lines takes too long, 256 are laid out at most: take --format text or mermaid",
    );
    expect((await graph(crowd(40))).split("\n")).toHaveLength(40 + 1600);
  });

  test.each(["text", "mermaid"] as const)("bounds what all guests add as %s", async (format) => {
    const warnings: string[] = [];
    const text = await graph(crowd(110), { format, warn: (message) => warnings.push(message) });
    expect(text.match(/x\.S.*all methods/g)).toHaveLength(10_000);
    expect(warnings).toEqual(["the graph has more than 10000 lines: 2100 are left out"]);
  });
});
