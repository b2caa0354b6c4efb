import { Code, ConnectError } from "@connectrpc/connect";
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
  owner: StreamOwner,
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
  const stream = own ? mounted({ name: owner.name, instance: owner.instance }) : mounted;
  if (own) stream.on("error", () => {});
  return {
    path,
    info: streamInfo(mounted),
    read() {
      throw new ConnectError(`${path} was not opened to read`, Code.FailedPrecondition);
    },
    // Answered when the stream has taken the bytes: a reader that is slow slows its writer, not the host.
    write: async (data) => {
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
      memory.take(owner.name, length);
      await new Promise<void>((resolve, reject) => {
        stream.write(Uint8Array.from(data), (error) => {
          memory.give(owner.name, length);
          if (error) reject(error);
          else resolve();
        });
      });
    },
    readAt: noPlaces,
    writeAt: noPlaces,
    seek: noPlaces,
    truncate: noPlaces,
    sync: async () => {},
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
