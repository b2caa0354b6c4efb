import { Code, ConnectError, type HandlerContext } from "@connectrpc/connect";
import { FileType, type OpenRequest } from "./gen/dropthrough/file/v1/file_pb.ts";
import type { OpenFile } from "./handles.ts";
import type { HeldMemory } from "./held-memory.ts";
import type { StreamMount, StreamOwner } from "./index.ts";
import type { Info } from "./info.ts";

/** Bytes that may wait for the reader of a stream, of all guests that write to it. */
const MOST_WAITING = 4 * 1024 * 1024;

/** Opens a stream of the host to write. Closing it leaves a shared stream open: it is the host's. */
export function openStream(
  mounted: StreamMount["stream"],
  { path, read }: OpenRequest,
  { name, instance }: Pick<StreamOwner, "name" | "instance">,
  memory: HeldMemory,
): OpenFile {
  const noPlaces = (): never => {
    throw new ConnectError(
      `${path} is a stream: it has no places to go to`,
      Code.FailedPrecondition,
    );
  };
  if (read)
    throw new ConnectError(`${path} is a stream that can only be written`, Code.PermissionDenied);
  const own = typeof mounted === "function";
  const owner: { -readonly [K in keyof StreamOwner]: StreamOwner[K] } = {
    name,
    instance,
    call: undefined,
  };
  const stream = own ? mounted(owner) : mounted;
  const within = (context: HandlerContext, act: () => void): void => {
    owner.call = context;
    try {
      act();
    } finally {
      owner.call = undefined;
    }
  };
  if (own) stream.on("error", () => {});
  return {
    path,
    info: streamInfo(mounted),
    read() {
      throw new ConnectError(`${path} was not opened to read`, Code.FailedPrecondition);
    },
    // Answered when the stream has taken the bytes: a reader that is slow slows its writer, not the host.
    write: async (data, context) => {
      if (!stream.writable)
        throw Object.assign(new Error("the stream has ended"), { code: "EPIPE" });
      // Who has given a write up may write again, while the stream still keeps what it was given.
      const waiting = stream.writableLength;
      if (waiting > 0 && waiting + data.length > MOST_WAITING) {
        throw new ConnectError(
          `${waiting} bytes wait for the reader of ${path} already: write again when they were taken`,
          Code.ResourceExhausted,
        );
      }
      const { length } = data;
      memory.take(name, length);
      await new Promise<void>((resolve, reject) => {
        const written = (error: Error | null | undefined): void => {
          memory.give(name, length);
          if (error) reject(error);
          else resolve();
        };
        within(context, () => stream.write(Uint8Array.from(data), written));
      });
    },
    readAt: noPlaces,
    writeAt: noPlaces,
    seek: noPlaces,
    truncate: noPlaces,
    sync: async () => {},
    closedBy(context) {
      if (own) within(context, () => stream.end());
    },
    [Symbol.dispose]() {
      if (own) stream.end();
    },
  };
}

/** What is known of a stream. */
export function streamInfo(stream: StreamMount["stream"]): Info {
  const terminal = typeof stream !== "function" && stream.isTTY === true;
  return { type: FileType.STREAM, size: 0n, modifiedNs: 0n, terminal };
}
