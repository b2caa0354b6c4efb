import { existsSync, linkSync, mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { Code } from "@connectrpc/connect";
import { special } from "./jail.ts";

// Every escape that was seen in others' file APIs, on every kind of mount. Guests see /data; `outside` lies beside it:
//
//   base ┬ mount ┬ a.txt "inside"    base/mount is /data (disk; disk elsewhere: as where no directory can be held)
//        │       └ sub/b.txt         base/mount/a.txt is /data (single file)
//        └ outside/secret "SECRET"   nobody may ever see, change or add to this

/** What can be mounted. */
export type Kind = "disk" | "disk elsewhere" | "memory" | "single file";

export const KINDS: readonly Kind[] = ["disk", "disk elsewhere", "memory", "single file"];
const { InvalidArgument, NotFound, PermissionDenied, FailedPrecondition } = Code;

/** One escape, tried with every call that takes a path. */
export interface Row {
  /** The item of the checklist. */
  readonly item: string;
  /** What somebody has put into the mount. */
  readonly plant?: (base: string) => void;
  /** What the guest names. */
  readonly paths: readonly string[];
  /** The codes that it may get, by kind of mount; a kind that is left out cannot have such a thing, and `without` says why. */
  readonly codes: Partial<Record<Exclude<Kind, "disk elsewhere">, readonly Code[]>>;
  readonly without?: string;
  /** Whether it is there, and no regular file. */
  readonly isSpecial?: boolean;
}

/** The codes of a row on a kind of mount: a disk elsewhere has those of a disk. */
export function codesOf({ codes }: Row, kind: Kind): readonly Code[] | undefined {
  return codes[kind === "disk elsewhere" ? "disk" : kind];
}

const NO_LINKS_IN_MEMORY =
  "no call makes a link or a special file, and nobody else has access to the memory";
const link =
  (target: string, name = "link") =>
  (base: string): void =>
    symlinkSync(target, join(base, "mount", name));
/** What lies below a single file is no directory, whatever it is called. */
const FILE = [FailedPrecondition] as const;

export const ROWS: readonly Row[] = [
  {
    item: "..",
    paths: ["/data/..", "/data/../", "/data/../outside/secret", "/data/../mount/a.txt"],
    codes: { disk: [PermissionDenied], memory: [PermissionDenied], "single file": FILE },
  },
  {
    item: "a/../../x",
    paths: ["/data/sub/../../outside/secret", "/data/./sub/./../.././outside/secret"],
    codes: { disk: [PermissionDenied], memory: [PermissionDenied], "single file": FILE },
  },
  {
    item: ".. through a name that is not there",
    paths: ["/data/none/../../outside/secret"],
    codes: { disk: [NotFound], memory: [NotFound], "single file": FILE },
  },
  {
    item: "absolute",
    paths: ["/etc/passwd", "/", "/../etc/passwd", "/dat", "/data2/x", "/DATA/a.txt"],
    codes: { disk: [NotFound], memory: [NotFound], "single file": [NotFound] },
  },
  {
    item: "an absolute path behind a mount, and //x",
    paths: ["/data//etc/passwd", "/data/etc/passwd", "//data///etc//passwd"],
    codes: { disk: [NotFound], memory: [NotFound], "single file": FILE },
  },
  {
    item: "relative, empty and .",
    paths: ["", ".", "..", "a.txt", "data/a.txt", "./data/a.txt", "../outside/secret", "~/x"],
    codes: {
      disk: [InvalidArgument],
      memory: [InvalidArgument],
      "single file": [InvalidArgument],
    },
  },
  {
    item: "\\0 inside",
    paths: ["/data/a.txt\0", "/data/\0../outside/secret", "/data\0", "/\0data/a.txt"],
    codes: {
      disk: [InvalidArgument],
      memory: [InvalidArgument],
      "single file": [InvalidArgument],
    },
  },
  {
    item: "trailing / on a file",
    paths: ["/data/a.txt/", "/data/a.txt//", "/data/a.txt/."],
    codes: { disk: FILE, memory: FILE, "single file": FILE },
  },
  {
    item: "trailing / on a mount that is a file",
    paths: ["/data/", "/data/."],
    codes: { "single file": FILE },
    without: "they are folders there",
  },
  ...(
    [
      ["link -> ..", "..", "/outside/secret"],
      ["link -> ../ (the target ends in a slash)", "../", "/outside/secret"],
      ["link -> /etc", "/etc", "/passwd"],
      ["link -> a/../..", "sub/../..", "/outside/secret"],
      ["link -> outside by a detour, with a slash behind", "sub/../../outside/", "/secret"],
      ["link -> a file outside", "../outside/secret", ""],
      ["link -> a file outside, with a slash behind the link", "../outside/secret", "/"],
      ["link -> itself above, a loop out and in again", "../mount/link/../..", "/outside/secret"],
      ["/proc/self/fd, a magic link", "/proc/self/fd", "/0"],
      ["/proc/self/root, a magic link", "/proc/self/root", "/etc/passwd"],
      ["/proc/self/cwd, a magic link", "/proc/self/cwd", "/package.json"],
      ["/dev/fd", "/dev/fd", "/0"],
    ] as const
  ).map(([item, target, rest]): Row => ({
    item,
    plant: link(target),
    paths: [`/data/link${rest}`],
    codes: { disk: [PermissionDenied] },
    without: NO_LINKS_IN_MEMORY,
  })),
  {
    item: "link text with a trailing slash, link -> link -> outside (GHSA-hp8f-xmx4-4qrg, GHSA-vqjp-4c8c-hfgg)",
    plant: (base) => {
      mkdirSync(join(base, "mount/a"));
      symlinkSync("evil/", join(base, "mount/a/link1"));
      symlinkSync("../../outside", join(base, "mount/a/evil"));
    },
    paths: ["/data/a/link1", "/data/a/link1/", "/data/a/link1/secret", "/data/a/link1/."],
    codes: { disk: [PermissionDenied] },
    without: NO_LINKS_IN_MEMORY,
  },
  {
    item: "a chain of links, the last one to the outside",
    plant: (base) => {
      for (let i = 0; i < 20; i++) link(`l${i + 1}`, `l${i}`)(base);
      link("../outside/secret", "l20")(base);
    },
    paths: ["/data/l0", "/data/l19"],
    codes: { disk: [PermissionDenied] },
    without: NO_LINKS_IN_MEMORY,
  },
  {
    item: "a loop of links, and a chain of more than 40",
    plant: (base) => {
      link("two", "one")(base);
      link("one", "two")(base);
      link("self", "self")(base);
      for (let i = 0; i < 41; i++) link(`c${i + 1}`, `c${i}`)(base);
      link("a.txt", "c41")(base);
    },
    paths: ["/data/one", "/data/two/x", "/data/self", "/data/c0"],
    codes: { disk: FILE },
    without: NO_LINKS_IN_MEMORY,
  },
  {
    item: "dangling link + O_CREAT",
    plant: link("../outside/new"),
    paths: ["/data/link"],
    codes: { disk: [PermissionDenied] },
    without: NO_LINKS_IN_MEMORY,
  },
  {
    item: "FIFO",
    isSpecial: true,
    plant: (base) => linkSync(special("fifo"), join(base, "mount/fifo")),
    paths: ["/data/fifo", "/data/fifo/", "/data/fifo/x"],
    codes: { disk: FILE },
    without: NO_LINKS_IN_MEMORY,
  },
  {
    item: "a link to a FIFO inside",
    isSpecial: true,
    plant: (base) => {
      linkSync(special("fifo"), join(base, "mount/fifo"));
      link("fifo")(base);
    },
    paths: ["/data/link"],
    codes: { disk: FILE },
    without: NO_LINKS_IN_MEMORY,
  },
  {
    item: "device node",
    isSpecial: true,
    plant: (base) => {
      if (existsSync(special("zero"))) linkSync(special("zero"), join(base, "mount/zero"));
    },
    paths: ["/data/zero"],
    // Where nobody may make one, there is none.
    codes: { disk: [FailedPrecondition, NotFound] },
    without: NO_LINKS_IN_MEMORY,
  },
  {
    item: "long component (256)",
    paths: [`/data/${"x".repeat(256)}`, `/data/${"ä".repeat(128)}`, `/${"x".repeat(256)}`],
    codes: {
      disk: [InvalidArgument],
      memory: [InvalidArgument],
      "single file": [InvalidArgument],
    },
  },
  {
    item: "long path (4096)",
    paths: [`/data/${"x/".repeat(2046)}`, `/data${"/..".repeat(1400)}/outside/secret`],
    codes: {
      disk: [InvalidArgument],
      memory: [InvalidArgument],
      "single file": [InvalidArgument],
    },
  },
  {
    item: "Unicode look-alikes",
    paths: ["/data/\uff0e\uff0e/outside/secret", "/data/\u2025/outside/secret", "/data/..\u2215x"],
    codes: { disk: [NotFound], memory: [NotFound], "single file": FILE },
  },
  {
    item: "case folding",
    paths: ["/data/A.TXT", "/data/SUB/b.txt"],
    codes: { disk: [NotFound], memory: [NotFound], "single file": FILE },
  },
  {
    item: "Windows: ..\\, C:x, \\\\?\\, CON, streams, trailing dot and space are names like any other elsewhere",
    paths: [
      "..\\outside\\secret",
      "C:x",
      "\\\\?\\C:\\x",
      "CON",
      "a.txt::$DATA",
      "a.txt.",
      "a.txt ",
    ].map((name) => `/data/${name}`),
    codes: { disk: [NotFound], memory: [NotFound], "single file": FILE },
  },
];
