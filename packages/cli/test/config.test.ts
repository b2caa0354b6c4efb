import { loadConfig } from "dropthrough";
import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { DeploymentFolder, untimed } from "./deployment-folder.ts";
import { caller, ECHO, ECHO_GRANTS, echoRequest } from "./guests.ts";

const folder = new DeploymentFolder();
afterAll(() => folder[Symbol.dispose]());

const module = folder.guest("a", caller(echoRequest({ payload: "hi" })));
const guests = [{ name: "a", module, grants: ECHO_GRANTS }];
const TRACE = `==> a ${ECHO}/Echo {"payload":"hi"}\n<== OK {"payload":"hi"} T\n`;

let files = 0;

/** The message of the error that loading this content ends with. */
async function refusal(name: string, content: unknown): Promise<string> {
  const text = typeof content === "string" ? content : JSON.stringify(content);
  // A folder of its own for each: a module is loaded once.
  const path = join(folder.path, folder.write(`${++files}/${name}`, text));
  const error: unknown = await loadConfig(path).catch((cause: unknown) => cause);
  expect(error).toMatchObject({ name: "ConfigError" });
  return (error as Error).message.replace(path, name);
}

describe("a configuration of data names backends by package", () => {
  folder.write(
    "node_modules/@acme/my-echo/package.json",
    // An import condition alone, as packages without CommonJS have it.
    `{ "name": "@acme/my-echo", "type": "module", "exports": { "import": "./index.js" } }`,
  );
  folder.write(
    "node_modules/@acme/my-echo/index.js",
    `import { echo } from "@dropthrough/dispatch/testing";
     export function myEcho(options) {
       if (options?.bad) throw new Error("bad must not be set");
       return echo();
     }`,
  );
  folder.write("node_modules/broken/package.json", `{ "type": "module", "main": "index.js" }`);
  folder.write("node_modules/broken/index.js", "nowhere();");
  folder.write("own.mjs", `export { echo as default } from "@dropthrough/dispatch/testing";`);
  folder.write("none.mjs", "export const options = 1;");
  folder.write("other.mjs", "export default () => ({});");

  test.each([
    ["data.json", JSON.stringify({ backends: { "@acme/my-echo": { level: 1 } }, guests })],
    [
      "data.yaml",
      `backends:\n  "@acme/my-echo":\nguests:\n  - name: a\n    module: a.wasm\n    grants: ["${ECHO}/*"]\n`,
    ],
    [
      "data.toml",
      `[backends]\n"./own.mjs" = {}\n[[guests]]\nname = "a"\nmodule = "a.wasm"\ngrants = ["${ECHO}/*"]\n`,
    ],
  ])("in %s", async (name, content) => {
    folder.write(name, content);
    const { code, stderr } = await folder.dropthrough(["run", name, "--trace"]);
    expect([code, untimed(stderr)]).toEqual([0, TRACE]);
  });

  test.each([
    [
      "@acme/nowhere",
      {},
      "the backend @acme/nowhere is not installed: install it beside the configuration (npm install @acme/nowhere)",
    ],
    [
      "./nowhere.js",
      {},
      "the backend ./nowhere.js is not there: correct its path, which is relative to the configuration",
    ],
    ["broken", {}, "the backend broken cannot be imported: nowhere is not defined"],
    [
      "./none.mjs",
      {},
      "the backend ./none.mjs exports neither a function none.mjs nor a default one: it is no backend package",
    ],
    ["@acme/my-echo", { bad: true }, "the backend @acme/my-echo: bad must not be set"],
    [
      "./other.mjs",
      {},
      "the backend ./other.mjs: registry.use takes a backend: make it with defineBackend of @dropthrough/dispatch",
    ],
  ])("and says what is wrong with %s %j", async (name, options, message) => {
    const relative = name.startsWith(".") ? `.${name}` : name;
    const shown = message.replace(name, relative);
    expect(await refusal("wrong.json", { backends: { [relative]: options }, guests })).toBe(shown);
  });
});

test("a configuration in TypeScript shares its packages with the command", async () => {
  // A second copy of the dispatch package would not know the call that this handler answers.
  const file = folder.config("shared", guests, {
    head: `import { callOf, defineBackend } from "@dropthrough/dispatch";
      import { EchoService } from "@dropthrough/dispatch/testing";
      const impl = { echo: (_: unknown, context: never) => ({ payload: Buffer.from(\`depth \${callOf(context)?.depth}\`) }) };`,
    backends: `[defineBackend({ name: "shared", service: EchoService, impl: { ...impl, forward: () => ({}) } })]`,
  });
  const { stderr } = await folder.dropthrough(["run", file, "--trace"]);
  expect(stderr).toContain('<== OK {"payload":"depth 0"}');
});

test("a folder is searched for dropthrough.config.*, also one with a dot in its name", async () => {
  folder.write(
    "site.d/dropthrough.config.mjs",
    `export default { guests: [{ name: "b", module: "./b.wasm" }] };`,
  );
  const config = await loadConfig(join(folder.path, "site.d"));
  expect(config.guests).toEqual([{ name: "b", module: join(folder.path, "site.d/b.wasm") }]);
});

test.each([
  [
    { guest: [] },
    '"guest" is unknown; there is backends, guests, limits, interceptors, observers, codec, clock; did you mean guests?',
  ],
  [
    { extends: "gh:somebody/something" },
    '"extends" is unknown; there is backends, guests, limits, interceptors, observers, codec, clock',
  ],
  [
    { guests: [{ name: "a", module: "a.wasm", grant: [] }] },
    '"guests[0].grant" is unknown; there is name, module, arguments, environment, grants, exports, services, instances, main, limits; did you mean grants?',
  ],
  [
    { guests: [{ name: "a", modul: "a.wasm" }] },
    '"guests[0].modul" is unknown; there is name, module, arguments, environment, grants, exports, services, instances, main, limits; did you mean module?',
  ],
  [{ guests: {} }, '"guests" must be a list'],
  [{ guests: [null] }, '"guests[0]" must be an object'],
  [{ guests: [{ module: "a.wasm" }] }, '"guests[0].name" is missing: add it'],
  [{ guests: [{ name: "a" }] }, '"guests[0].module" is missing: add it'],
  [{ guests: [{ name: "", module: "a.wasm" }] }, '"guests[0].name" must not be empty'],
  [{ guests: [{ name: "a", module: 5 }] }, '"guests[0].module" must be the path of a module'],
  [
    { guests: [{ name: "a", module: "a.wasm", grants: "x.Y/*" }] },
    '"guests[0].grants" must be a list of texts',
  ],
  [
    { guests: [{ name: "a", module: "a.wasm", grants: [1] }] },
    '"guests[0].grants[0]" must be a text',
  ],
  [
    { guests: [{ name: "a", module: "a.wasm", instances: 0 }] },
    '"guests[0].instances" must be a whole number, 1 or more',
  ],
  [
    { guests: [{ name: "a", module: "a.wasm", main: "yes" }] },
    '"guests[0].main" must be true or false',
  ],
  [
    { guests: [{ name: "a", module: "a.wasm", environment: { PORT: 80 } }] },
    '"guests[0].environment.PORT" must be a text',
  ],
  [
    { guests: [{ name: "a", module: "a.wasm", limits: { depth: 3 } }] },
    '"guests[0].limits.depth" holds for all guests: set it in "limits"',
  ],
  [{ limits: { memoryPages: -1 } }, '"limits.memoryPages" must be a whole number, 0 or more'],
  [
    { guests: [{ name: "a", module: "a.wasm", services: [1] }] },
    '"guests[0].services[0]" must be the descriptor of a service',
  ],
  [
    { guests: [{ name: "a", module: "a.wasm", instances: 1e9 }] },
    "the guests have 1000000000 instances together, and a process holds 16000: run fewer, or several hosts",
  ],
  [{ interceptors: {} }, '"interceptors" must be a list'],
  [{ interceptors: [1] }, '"interceptors[0]" must be a function, (next) => (request) => response'],
  [
    { observers: [{ start: 1 }] },
    '"observers[0]" must be an object with some of started, ended, refused',
  ],
  [{ observers: [{ ended: true }] }, '"observers[0].ended" must be a function'],
  [{ codec: { compile: "no" } }, '"codec.compile" must be true or false'],
  [
    { codec: { complie: false } },
    '"codec.complie" is unknown; there is compile; did you mean compile?',
  ],
  [{ clock: 1 }, '"clock" must be an object'],
  [{ clock: { now: 1 } }, '"clock.now" must be a function'],
  [{ backends: 1 }, '"backends" must be a list, or options by package name'],
  [
    { backends: [{}] },
    '"backends[0]": registry.use takes a backend: make it with defineBackend of @dropthrough/dispatch',
  ],
  [
    { backends: ["@dropthrough/kernel"] },
    '"backends[0]": it is a text: import the package, and call what it exports',
  ],
  [[1], "a configuration is an object, not a list"],
])("%j is refused: %s", async (content, message) => {
  expect(await refusal("shape.json", content)).toBe(`shape.json: ${message}`);
});

test("a factory that was not called is said to be one", async () => {
  const file = folder.config("uncalled", [], { backends: "[kernel]" });
  await expect(loadConfig(join(folder.path, file))).rejects.toThrow(
    '"backends[0]": it is a function: call it, such as kernel()',
  );
});

test("an unknown limit is refused with those that there are", async () => {
  expect(await refusal("limits.json", { limits: { memoryPagse: 1 } })).toMatch(
    /^limits\.json: "limits\.memoryPagse" is unknown; there is .*memoryPages/,
  );
});

test("one that is empty is said to be so", async () => {
  expect(await refusal("empty.yaml", "\n")).toBe(
    "empty.yaml cannot be used: it is empty: write backends and guests",
  );
});

test.each([
  ["syntax.json", "{"],
  ["syntax.yaml", "a: [1"],
  ["syntax.toml", "a = ["],
  ["syntax.config.ts", "export default {"],
  ["throws.config.ts", "throw new Error('first\\nsecond');"],
])("a %s that cannot be read is named in one line", async (name, content) => {
  const message = await refusal(name, content);
  expect(message).toMatch(new RegExp(`^${name} cannot be used: .`));
  expect(message).not.toContain("\n");
});

test("a syntax error in TypeScript says where it is", async () => {
  expect(await refusal("comma.config.ts", "export default {\n  guests [],\n};")).toMatch(
    /^comma\.config\.ts cannot be used: ParseError: .*\(2:\d+\)$/,
  );
});

test("a limit that is undefined is none", async () => {
  expect(await refusal("undefined.mjs", "export default { limits: { queue: undefined } };")).toBe(
    'undefined.mjs: "limits.queue" must be a whole number, 0 or more',
  );
});

test.each([
  ["x".repeat(5000), "ENAMETOOLONG"],
  ["loop", "ELOOP"],
])("a path that the system refuses is the user's mistake, and no bug", async (path, why) => {
  if (path === "loop") symlinkSync("loop", join(folder.path, "loop"));
  const { code, stderr } = await folder.dropthrough(["run", path]);
  expect(stderr).toMatch(new RegExp(`^dropthrough: .* cannot be used: ${why}`));
  expect(code).toBe(193);
});

test.each([
  ["run", 193],
  ["check", 1],
])(
  "a configuration that waits for ever does not end %s with a guest's code",
  async (command, expected) => {
    const file = folder.write(`${++files}.mjs`, "export default new Promise(() => {});");
    const { code, stderr } = await folder.dropthrough([command, file]);
    expect(stderr).toBe(
      `dropthrough: the configuration ${file} waits for a promise that nothing can settle: export what it is to be\n`,
    );
    expect(code).toBe(expected);
  },
);
