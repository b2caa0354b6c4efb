import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const tools = new URL("..", import.meta.url).pathname;
const bin = new URL("../../node_modules/.bin", import.meta.url).pathname;
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "dropthrough-checked-"));
  mkdirSync(join(folder, "tools"));
  for (const file of ["check.ts", "redis-server.ts"])
    cpSync(join(tools, file), join(folder, "tools", file));
  symlinkSync(join(tools, "node_modules"), join(folder, "tools/node_modules"));
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  writeFileSync(join(folder, "buf.yaml"), "version: v2\nmodules:\n  - path: proto\n");
  writeFileSync(join(folder, ".gitignore"), "node_modules\n");
  run("git", "init", "--quiet");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function run(command: string, ...args: string[]): SpawnSyncReturns<string> {
  const { DROPTHROUGH_BASE: _, ...env } = process.env;
  const path = `${bin}:${process.env["PATH"]}`;
  return spawnSync(command, args, { cwd: folder, encoding: "utf8", env: { ...env, PATH: path } });
}

function commit(fields: string): void {
  mkdirSync(join(folder, "proto"), { recursive: true });
  writeFileSync(
    join(folder, "proto/a.proto"),
    `syntax = "proto3";\npackage a;\nmessage A { ${fields} }\n`,
  );
  run("git", "add", "--all");
  const who = ["-c", "user.name=a", "-c", "user.email=a@b.c"];
  expect(run("git", ...who, "commit", "--quiet", "--message", "a").status).toBe(0);
}

const check = (...names: string[]): SpawnSyncReturns<string> =>
  run(process.execPath, "tools/check.ts", ...names);

// It starts Node, git and buf, which take seconds on a busy machine.
describe("a check", () => {
  test("that is not there is no check that passed", () => {
    const { status, stderr } = check("lnit");
    expect(status).toBe(2);
    expect(stderr).toContain('there is no step "lnit": the steps are "redis", "format"');
  });

  test("that runs beside another one says what it has to say in its turn", () => {
    const { status, stdout } = check("conformance", "schedules", "guard");
    expect(status).toBe(1);
    const names = ["schedules", "guard", "conformance"];
    const said = names.map(
      (name) => `── ${name}\n[^─]*Cannot find module[^─]*── ${name}: 0 passed, 1 failed[^─]*`,
    );
    expect(stdout).toMatch(new RegExp(`^\n${said.join("")}\n0 passed, 3 failed\n$`));
  });

  test("of contracts counts nothing at the first commit, then tells what shrinks, and is red where its base is none", () => {
    commit("string x = 1; string y = 2;");
    expect(check("proto breaking")).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/nothing was checked[^]*\n0 passed, 0 failed\n$/),
    });
    commit("string x = 1; string y = 2; string z = 3;");
    expect(check("proto breaking").stdout).toMatch(/\n1 passed, 0 failed\n$/);
    commit("string x = 1;");
    expect(check("proto breaking")).toMatchObject({
      status: 1,
      stdout: expect.stringMatching(/\n0 passed, 1 failed\n$/),
    });
    const nowhere = run(
      "env",
      "DROPTHROUGH_BASE=gone",
      process.execPath,
      "tools/check.ts",
      "proto breaking",
    );
    expect(nowhere).toMatchObject({
      status: 1,
      stdout: expect.stringMatching(/gone has no contracts[^]*\n0 passed, 1 failed\n$/),
    });
  });
});
