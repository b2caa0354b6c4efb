import { Code, ConnectError, type HandlerContext, type ServiceImpl } from "@connectrpc/connect";
import { callerOf, type Clock, type PerCaller, perCaller } from "@dropthrough/dispatch";
import { type DiskPath, listDirectory, openFile, statPath } from "./disk.ts";
import { fileError } from "./file-error.ts";
import type { FileLimits } from "./file-limits.ts";
import type * as pb from "./gen/dropthrough/file/v1/file_pb.ts";
import { Handles, type OpenFile } from "./handles.ts";
import type { Info } from "./info.ts";
import type { Mounts } from "./mounts.ts";
import { openStream, streamInfo } from "./stream.ts";
import { type Listed, Page } from "./page.ts";
import { makeDirectory, remove, rename } from "./tree.ts";
import type { Events } from "./watch.ts";
import { Watches } from "./watches.ts";
import { copyFile, readFile, writeFile } from "./whole-file.ts";

const MOST_READ = 1024 * 1024;
const MOST_ENTRIES = 10_000;

/**
 * What FileService answers. Each docstring of file.proto lists the codes. Calls on disks are synchronous where they are short: a read of
 * a cached file takes less time than to suspend a guest does.
 */
export class Files implements ServiceImpl<typeof pb.FileService> {
  /** The source of time for idle files. */
  clock: Clock;
  readonly #mounts: Mounts;
  readonly #handles: PerCaller<Handles>;
  readonly #watches: PerCaller<Watches>;

  constructor(mounts: Mounts, limits: FileLimits, clock: Clock) {
    this.clock = clock;
    this.#mounts = mounts;
    this.#handles = perCaller(() => new Handles(limits, this.clock));
    this.#watches = perCaller(() => new Watches(limits, this.clock));
  }

  open(request: pb.OpenRequest, context: HandlerContext): { handle: bigint; info: Info } {
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
    const caller = callerOf(context);
    const { mount, names } = this.#mounts.find(path, caller.name);
    return guard(path, () => {
      const file =
        mount.kind === "stream"
          ? openStream(mount.stream, request, caller, this.#mounts.memory)
          : openFile({ mount, names, path, guest: caller.name }, request);
      return { handle: handles.add(file), info: file.info };
    });
  }

  // Read, Write, ReadAt and WriteAt answer whole messages, and have no function around them: they cost little more than what
  // the operating system does.
  read({ handle, length }: pb.ReadRequest, context: HandlerContext): pb.ReadResponse {
    const data = this.#handles.of(context).get(handle).read(mostOf(length), context);
    return { $typeName: "dropthrough.file.v1.ReadResponse", data };
  }

  write(
    { handle, data }: pb.WriteRequest,
    context: HandlerContext,
  ): pb.WriteResponse | Promise<object> {
    const file = this.#handles.of(context).get(handle);
    try {
      const pending = file.write(data, context);
      if (pending !== undefined) return settled(empty(pending), file.path);
    } catch (error) {
      throw fileError(error, file.path);
    }
    return { $typeName: "dropthrough.file.v1.WriteResponse" };
  }

  readAt({ handle, offset, length }: pb.ReadAtRequest, context: HandlerContext): pb.ReadAtResponse {
    const file = this.#handles.of(context).get(handle);
    const data = file.readAt(place(offset), mostOf(length), context);
    return { $typeName: "dropthrough.file.v1.ReadAtResponse", data };
  }

  writeAt(
    { handle, offset, data }: pb.WriteAtRequest,
    context: HandlerContext,
  ): pb.WriteAtResponse {
    const file = this.#handles.of(context).get(handle);
    try {
      file.writeAt(place(offset), data);
    } catch (error) {
      throw fileError(error, file.path);
    }
    return { $typeName: "dropthrough.file.v1.WriteAtResponse" };
  }

  seek({ handle, offset, whence }: pb.SeekRequest, context: HandlerContext): { offset: bigint } {
    return this.#with(handle, context, (file) => ({
      offset: BigInt(file.seek(Number(offset), whence)),
    }));
  }

  truncate({ handle, size }: pb.TruncateRequest, context: HandlerContext): object {
    return this.#with(handle, context, (file) => {
      file.truncate(place(size));
      return {};
    });
  }

  sync({ handle }: pb.SyncRequest, context: HandlerContext): Promise<object> | object {
    const handles = this.#handles.of(context);
    const file = handles.get(handle);
    return handles.whileHeld(() => done(file.sync(), file.path));
  }

  close({ handle }: pb.CloseRequest, context: HandlerContext): object {
    const handles = this.#handles.of(context);
    return guard(handles.get(handle).path, () => {
      handles.close(handle, context);
      return {};
    });
  }

  stat({ path }: pb.StatRequest, context: HandlerContext): { info: Info } {
    const { mount } = this.#mounts.find(path, callerOf(context).name);
    if (mount.kind === "stream") return { info: streamInfo(mount.stream) };
    return guard(path, () => ({ info: statPath(this.#disk(path, context)) }));
  }

  list({ path, cursor, limit }: pb.ListRequest, context: HandlerContext): Listed | Promise<Listed> {
    if (limit > MOST_ENTRIES)
      throw new ConnectError(`a page has at most ${MOST_ENTRIES} entries`, Code.InvalidArgument);
    return guard(path, () => {
      // Of its own: the request's bytes are borrowed, and a large directory takes its time.
      const page = new Page(Uint8Array.from(cursor), limit === 0 ? 1000 : limit);
      const pending = listDirectory(this.#disk(path, context), page, context.signal);
      return pending instanceof Promise ? settled(pending, path) : pending;
    });
  }

  makeDirectory({ path, parents }: pb.MakeDirectoryRequest, context: HandlerContext): object {
    return guard(path, () => {
      makeDirectory(this.#disk(path, context), parents);
      return {};
    });
  }

  remove({ path, recursive }: pb.RemoveRequest, context: HandlerContext): object | Promise<object> {
    const act = (): object | Promise<object> =>
      done(remove(this.#disk(path, context), recursive, recursive ? context.signal : NEVER), path);
    return guard(path, () => (recursive ? this.#handles.of(context).whileHeld(act) : act()));
  }

  rename({ from, to }: pb.RenameRequest, context: HandlerContext): object {
    return guard(from, () => {
      rename(this.#disk(from, context), this.#disk(to, context));
      return {};
    });
  }

  copy(
    { from, to }: pb.CopyRequest,
    context: HandlerContext,
  ): { size: bigint } | Promise<{ size: bigint }> {
    const act = async (): Promise<{ size: bigint }> => ({
      size: BigInt(
        await copyFile(this.#disk(from, context), this.#disk(to, context), context.signal),
      ),
    });
    return this.#handles.of(context).whileHeld(() => settled(act(), `${from} to ${to}`));
  }

  readFile({ path }: pb.ReadFileRequest, context: HandlerContext): { data: Uint8Array } {
    return guard(path, () => ({ data: readFile(this.#disk(path, context)) }));
  }

  writeFile(request: pb.WriteFileRequest, context: HandlerContext): object | Promise<object> {
    const { path } = request;
    const act = (): object | Promise<object> =>
      done(writeFile(this.#disk(path, context), request), path);
    return guard(path, () => (request.sync ? this.#handles.of(context).whileHeld(act) : act()));
  }

  watch(request: pb.WatchRequest, context: HandlerContext): { watch: bigint } {
    const { path } = request;
    return guard(path, () => ({
      watch: this.#watches.of(context).add(this.#disk(path, context), request),
    }));
  }

  readEvents(request: pb.ReadEventsRequest, context: HandlerContext): Events | Promise<Events> {
    return this.#watches.of(context).read(request, context);
  }

  endWatch({ watch }: pb.EndWatchRequest, context: HandlerContext): object {
    this.#watches.of(context).end(watch);
    return {};
  }

  #with<T>(handle: bigint, context: HandlerContext, use: (file: OpenFile) => T): T {
    const file = this.#handles.of(context).get(handle);
    return guard(file.path, () => use(file));
  }

  #disk(path: string, context: HandlerContext): DiskPath {
    const guest = callerOf(context).name;
    const { mount, names } = this.#mounts.find(path, guest);
    if (mount.kind === "disk") return { mount, names, path, guest };
    throw new ConnectError(
      `${path} is a stream: it can only be opened and written`,
      Code.FailedPrecondition,
    );
  }
}

const NEVER = new AbortController().signal;

/** Whatever the file system throws becomes an error in the guest's terms. */
function guard<T>(path: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw fileError(error, path);
  }
}

/** An empty response, when what it waits for is done. */
function done(pending: void | Promise<void>, path: string): object | Promise<object> {
  return pending === undefined ? {} : settled(empty(pending), path);
}

async function empty(pending: Promise<void>): Promise<object> {
  await pending;
  return {};
}

async function settled<T>(pending: Promise<T>, path: string): Promise<T> {
  return pending.catch((error: unknown) => {
    throw fileError(error, path);
  });
}

function mostOf(length: number): number {
  return length === 0 ? MOST_READ : Math.min(length, MOST_READ);
}

const words = new BigUint64Array(1);
const halves = new Uint32Array(words.buffer);

function place(offset: bigint): number {
  // For Number(offset) the engine goes to its runtime, for as long as the rest of a short read takes.
  words[0] = offset;
  const number = (halves[1] as number) * 2 ** 32 + (halves[0] as number);
  if (number <= Number.MAX_SAFE_INTEGER) return number;
  throw new ConnectError(`${offset} is no place in a file: it is above 2^53`, Code.InvalidArgument);
}
