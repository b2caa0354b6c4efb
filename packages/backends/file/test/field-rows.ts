import { type Client, Code } from "@connectrpc/connect";
import { type FileService, Whence } from "../src/index.ts";
import type { Row } from "./code-rows.ts";

type Files = Client<typeof FileService>;
type Calls<T> = Readonly<Record<string, (files: Files, value: T) => Promise<unknown>>>;

/** Every call that takes a path, in each place of it. */
const OF_PATH: Calls<string> = {
  Open: async (c, path) => c.open({ path, read: true }),
  Stat: async (c, path) => c.stat({ path }),
  List: async (c, path) => c.list({ path }),
  MakeDirectory: async (c, path) => c.makeDirectory({ path }),
  Remove: async (c, path) => c.remove({ path }),
  "Rename from": async (c, from) => c.rename({ from, to: "/m/new" }),
  "Rename to": async (c, to) => c.rename({ from: "/m/f", to }),
  "Copy from": async (c, from) => c.copy({ from, to: "/m/new" }),
  "Copy to": async (c, to) => c.copy({ from: "/m/f", to }),
  ReadFile: async (c, path) => c.readFile({ path }),
  WriteFile: async (c, path) => c.writeFile({ path }),
  Watch: async (c, path) => c.watch({ path }),
};

/** Every call that takes a handle. */
const OF_HANDLE: Calls<bigint> = {
  Read: async (c, handle) => c.read({ handle }),
  Write: async (c, handle) => c.write({ handle }),
  ReadAt: async (c, handle) => c.readAt({ handle }),
  WriteAt: async (c, handle) => c.writeAt({ handle }),
  Seek: async (c, handle) => c.seek({ handle, whence: Whence.START }),
  Truncate: async (c, handle) => c.truncate({ handle }),
  Sync: async (c, handle) => c.sync({ handle }),
  Close: async (c, handle) => c.close({ handle }),
};

/** What is wrong with a path, on the mounts of codes.test.ts. */
const PATHS: readonly (readonly [Code, string])[] = [
  [Code.InvalidArgument, "m/f"],
  [Code.InvalidArgument, "/m/\0"],
  [Code.InvalidArgument, `/m/${"x".repeat(256)}`],
  [Code.InvalidArgument, `/m${"/x".repeat(2048)}`],
  [Code.NotFound, "/m/none/x"],
  [Code.NotFound, "/none"],
  [Code.PermissionDenied, "/m/../x"],
  [Code.FailedPrecondition, "/m/f/x"],
];

/** What the comment of the service says of every call with a path, and of every call with a handle. */
export const FIELD_ROWS: readonly Row[] = [
  ...PATHS.flatMap(([code, path]) =>
    Object.entries(OF_PATH).map(([name, call]): Row => {
      const [rpc = "", end = ""] = name.split(" ");
      return [rpc, code, `${end} ${JSON.stringify(path.slice(0, 20))}`, async (c) => call(c, path)];
    }),
  ),
  ...Object.entries(OF_HANDLE).map(([rpc, call]): Row => [
    rpc,
    Code.NotFound,
    "for no handle",
    async (c) => call(c, 7n),
  ]),
];
