import { Code, ConnectError, type HandlerContext, type ServiceImpl } from "@connectrpc/connect";
import { perCaller } from "@dropthrough/dispatch";
import { fileError } from "./file-error.ts";
import type {
  CloseRequest,
  Entry,
  FileService,
  ListRequest,
  OpenRequest,
  ReadRequest,
  StatRequest,
  WriteRequest,
} from "./gen/dropthrough/file/v1/file_pb.ts";
import { Handles } from "./handles.ts";
import { type Info, listDirectory, openFile, statPath } from "./disk.ts";
import type { Mounts } from "./mounts.ts";
import { openStream, streamInfo } from "./stream.ts";

const MOST_READ = 1024 * 1024;
const MOST_ENTRIES = 10_000;

/**
 * What FileService answers. Each docstring of file.proto lists the codes. Calls on disks are synchronous: a read of a cached file
 * takes less time than to suspend a guest does.
 */
export class Files implements ServiceImpl<typeof FileService> {
  readonly #mounts: Mounts;
  readonly #handles;

  constructor(mounts: Mounts, most: number) {
    this.#mounts = mounts;
    this.#handles = perCaller(() => new Handles(most));
  }

  open(request: OpenRequest, context: HandlerContext): { handle: bigint; info: Info } {
    const { path, read, write, create, exclusive, truncate, append } = request;
    if (!read && !write)
      throw new ConnectError("open a file to read, to write, or both", Code.InvalidArgument);
    if (!write && (create || exclusive || truncate || append)) {
      throw new ConnectError(
        "create, exclusive, truncate and append are for files opened to write",
        Code.InvalidArgument,
      );
    }
    if (exclusive && !create)
      throw new ConnectError("exclusive goes with create", Code.InvalidArgument);
    const handles = this.#handles.of(context);
    handles.checkRoom();
    const { mount, names } = this.#mounts.find(path);
    try {
      const file =
        mount.kind === "stream"
          ? openStream(mount.stream, request)
          : openFile(mount, names, request);
      return { handle: handles.add(file), info: file.info };
    } catch (error) {
      throw fileError(error, path);
    }
  }

  read({ handle, length }: ReadRequest, context: HandlerContext): { data: Uint8Array } {
    const file = this.#handles.of(context).get(handle);
    const most = length === 0 ? MOST_READ : Math.min(length, MOST_READ);
    try {
      return { data: file.read(most) };
    } catch (error) {
      throw fileError(error, file.path);
    }
  }

  write({ handle, data }: WriteRequest, context: HandlerContext): object | Promise<object> {
    const file = this.#handles.of(context).get(handle);
    const failed = (error: unknown): never => {
      throw fileError(error, file.path);
    };
    try {
      const pending = file.write(data);
      return pending === undefined ? {} : pending.then(() => ({}), failed);
    } catch (error) {
      return failed(error);
    }
  }

  close({ handle }: CloseRequest, context: HandlerContext): object {
    this.#handles.of(context).close(handle);
    return {};
  }

  stat({ path }: StatRequest): { info: Info } {
    const { mount, names } = this.#mounts.find(path);
    try {
      return {
        info: mount.kind === "stream" ? streamInfo(mount.stream) : statPath(mount, names, path),
      };
    } catch (error) {
      throw fileError(error, path);
    }
  }

  list({ path, cursor, limit }: ListRequest): {
    entries: Pick<Entry, "name" | "type">[];
    cursor: Uint8Array;
    unnamable: number;
  } {
    if (limit > MOST_ENTRIES)
      throw new ConnectError(`a page has at most ${MOST_ENTRIES} entries`, Code.InvalidArgument);
    const { mount, names } = this.#mounts.find(path);
    try {
      if (mount.kind === "stream")
        throw Object.assign(new Error("no directory"), { code: "ENOTDIR" });
      return listDirectory(mount, names, path, cursor, limit === 0 ? 1000 : limit);
    } catch (error) {
      throw fileError(error, path);
    }
  }
}
