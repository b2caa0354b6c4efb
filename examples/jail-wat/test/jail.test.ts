import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { jail, type Kind, TrapFolder } from "../main.ts";

const README = readFileSync(new URL("../README.md", import.meta.url), "utf8");
const CODES = { INVALID_ARGUMENT: 3, NOT_FOUND: 5, PERMISSION_DENIED: 7, FAILED_PRECONDITION: 9 };

/** What reading calls get, on a folder: the first path that matches decides. */
const EXPECTED: readonly (readonly [RegExp, number])[] = [
  [/[~^]/, CODES.INVALID_ARGUMENT],
  [/x{256}|(x\/){1000}/, CODES.INVALID_ARGUMENT],
  [/^($|\.|data)/, CODES.INVALID_ARGUMENT],
  [/^\/(\.\.\/)?(etc|proc|dev|DATA)\/|^\/?\/etc\/passwd$|^\/$/, CODES.NOT_FOUND],
];

/** What this process has open below a folder. */
function openBelow(folder: string): string[] {
  return readdirSync("/proc/self/fd")
    .map((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`);
      } catch {
        return ""; // the one that reads the list is gone
      }
    })
    .filter((path) => path.startsWith(folder));
}

test.each<Kind>(["disk", "memory", "single file"])(
  "a hostile guest that tries every escape from a %s mount gets codes, never bytes",
  async (kind) => {
    using folder = new TrapFolder();
    if (kind === "disk") await folder.swap();
    const { attempts, race, exitCode, by } = await jail(folder, kind);
    expect(exitCode).toBe(0);
    expect(by, "a stream knows who opened it, whatever the guest says").toBe("jail 1");
    expect(new Set(attempts.map(({ path }) => path)).size).toBe(58);
    expect(new Set(attempts.map(({ call }) => call)).size).toBe(10);
    expect(attempts).toHaveLength(58 * 16);
    const refused = attempts.filter(({ code }) => code !== 0).length;
    expect(README).toContain(
      `\n${kind}: ${attempts.length} attempts, ${refused} refused, 20000 races, 0 stolen\n`,
    );
    expect(attempts.filter(({ stolen }) => stolen)).toEqual([]);
    expect(race.stolen).toBe(0);
    // It was really opened now and then, so the race was one.
    if (kind === "disk") expect(race.opened).toBeGreaterThan(0);
    for (const { code, call, path } of attempts) {
      expect([0, 3, 5, 6, 7, 8, 9], `${call} ${path}`).toContain(code);
      const [, expected] = EXPECTED.find(([pattern]) => pattern.test(path)) ?? [];
      if (expected !== undefined) expect(code, `${call} ${path}`).toBe(expected);
      if (
        /^\/data\/(up|upslash|folder|detour|etc|root|fd|cwd)\//.test(path) &&
        kind === "disk" &&
        call !== "Rename"
      )
        expect(code, `${call} ${path}`).toBe(CODES.PERMISSION_DENIED);
    }
    expect(readdirSync(join(folder.base, "outside"))).toEqual(["secret"]);
    expect(readFileSync(join(folder.base, "outside/secret"), "utf8")).toBe("SECRET");
    expect(openBelow(folder.base), "all is closed when the guest has died").toEqual([]);
  },
  120_000,
);
