import { Code } from "@connectrpc/connect";
import { data, fill, type Row } from "./code-rows.ts";

const { AlreadyExists, FailedPrecondition, InvalidArgument } = Code;
const { PermissionDenied, ResourceExhausted } = Code;

/** Of the calls that change names, and of those on whole files. */
export const TREE_ROWS: readonly Row[] = [
  [
    "MakeDirectory",
    AlreadyExists,
    "if it is there",
    async (c) => c.makeDirectory({ path: "/m/d" }),
  ],
  [
    "MakeDirectory",
    AlreadyExists,
    "with parents, if it is a file",
    async (c) => c.makeDirectory({ path: "/m/f", parents: true }),
  ],
  [
    "MakeDirectory",
    FailedPrecondition,
    "for a mount",
    async (c) => {
      await c.makeDirectory({ path: "/m", parents: true });
      await c.makeDirectory({ path: "/m" });
    },
  ],
  [
    "MakeDirectory",
    PermissionDenied,
    "on a read-only mount",
    async (c) => c.makeDirectory({ path: "/ro/d" }),
  ],
  [
    "MakeDirectory",
    ResourceExhausted,
    "above the entries",
    async (c) => {
      await fill(c);
      await c.makeDirectory({ path: "/m/4" });
    },
  ],
  [
    "Remove",
    FailedPrecondition,
    "for a directory that is not empty",
    async (c) => {
      await c.makeDirectory({ path: "/m/d/e" });
      await c.remove({ path: "/m/d" });
    },
  ],
  ["Remove", FailedPrecondition, "for a mount", async (c) => c.remove({ path: "/m" })],
  [
    "Remove",
    ResourceExhausted,
    "with recursive, above the handles",
    async (c) => {
      for (let i = 0; i < 4; i++) await c.open({ path: "/m/f", read: true });
      await c.remove({ path: "/m/d", recursive: true });
    },
  ],
  ["Remove", PermissionDenied, "on a read-only mount", async (c) => c.remove({ path: "/ro/f" })],
  [
    "Rename",
    FailedPrecondition,
    "between mounts",
    async (c) => c.rename({ from: "/m/f", to: "/rw/f" }),
  ],
  [
    "Rename",
    FailedPrecondition,
    "for a mount",
    async (c) => c.rename({ from: "/m", to: "/m/d/m" }),
  ],
  [
    "Rename",
    FailedPrecondition,
    "for a directory onto one that is not empty",
    async (c) => {
      await c.makeDirectory({ path: "/m/d/e" });
      await c.makeDirectory({ path: "/m/g" });
      await c.rename({ from: "/m/g", to: "/m/d" });
    },
  ],
  [
    "Rename",
    FailedPrecondition,
    "for a directory onto a file",
    async (c) => c.rename({ from: "/m/d", to: "/m/f" }),
  ],
  [
    "Rename",
    FailedPrecondition,
    "for a file onto a directory",
    async (c) => c.rename({ from: "/m/f", to: "/m/d" }),
  ],
  [
    "Rename",
    InvalidArgument,
    "for a directory into itself",
    async (c) => c.rename({ from: "/m/d", to: "/m/d/e" }),
  ],
  [
    "Rename",
    InvalidArgument,
    "for a directory into itself, on a disk",
    async (c) => {
      await c.makeDirectory({ path: "/rw/d/e", parents: true });
      await c.rename({ from: "/rw/d", to: "/rw/d/e/f" });
    },
  ],
  [
    "Rename",
    PermissionDenied,
    "on a read-only mount",
    async (c) => c.rename({ from: "/ro/f", to: "/ro/g" }),
  ],
  [
    "Copy",
    FailedPrecondition,
    "for a directory",
    async (c) => c.copy({ from: "/m/d", to: "/m/e" }),
  ],
  [
    "Copy",
    PermissionDenied,
    "to a read-only mount",
    async (c) => c.copy({ from: "/m/f", to: "/ro/g" }),
  ],
  [
    "Copy",
    ResourceExhausted,
    "above the quota",
    async (c) => {
      await c.writeFile({ path: "/rw/big", data });
      await c.copy({ from: "/rw/big", to: "/m/big" });
    },
  ],
  ["ReadFile", FailedPrecondition, "for a directory", async (c) => c.readFile({ path: "/m/d" })],
  [
    "ReadFile",
    ResourceExhausted,
    "above 3 MiB",
    async (c) => {
      const { handle } = await c.open({ path: "/rw/big", write: true, create: true });
      await c.truncate({ handle, size: BigInt(3 * 1024 * 1024 + 1) });
      await c.readFile({ path: "/rw/big" });
    },
  ],
  [
    "WriteFile",
    AlreadyExists,
    "if it is there",
    async (c) => c.writeFile({ path: "/m/f", exclusive: true }),
  ],
  ["WriteFile", FailedPrecondition, "onto a directory", async (c) => c.writeFile({ path: "/m/d" })],
  ["WriteFile", FailedPrecondition, "onto a mount", async (c) => c.writeFile({ path: "/m" })],
  [
    "WriteFile",
    PermissionDenied,
    "on a read-only mount",
    async (c) => c.writeFile({ path: "/ro/g" }),
  ],
  [
    "WriteFile",
    ResourceExhausted,
    "above the quota",
    async (c) => c.writeFile({ path: "/m/g", data }),
  ],
];
