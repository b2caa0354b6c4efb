import { Code, ConnectError } from "@connectrpc/connect";
import { FileType, type OpenRequest } from "./gen/dropthrough/file/v1/file_pb.ts";
import type { OpenFile } from "./handles.ts";
import type { StreamMount } from "./index.ts";
import type { Info } from "./info.ts";

/** Opens a stream of the host to write. Closing it leaves the stream open: it is the host's. */
export function openStream(stream: StreamMount["stream"], { path, read }: OpenRequest): OpenFile {
  const noPlaces = (): never => {
    throw new ConnectError(
      `${path} is a stream: it has no places to go to`,
      Code.FailedPrecondition,
    );
  };
  if (read)
    throw new ConnectError(`${path} is a stream that can only be written`, Code.PermissionDenied);
  return {
    path,
    info: streamInfo(stream),
    read() {
      throw new ConnectError(`${path} was not opened to read`, Code.FailedPrecondition);
    },
    // Answered when the stream has taken the bytes: a reader that is slow slows its writer, not the host.
    write: async (data) => {
      if (!stream.writable)
        throw Object.assign(new Error("the stream has ended"), { code: "EPIPE" });
      await new Promise<void>((resolve, reject) => {
        stream.write(Uint8Array.from(data), (error) => (error ? reject(error) : resolve()));
      });
    },
    readAt: noPlaces,
    writeAt: noPlaces,
    seek: noPlaces,
    truncate: noPlaces,
    sync: async () => {},
    [Symbol.dispose]() {},
  };
}

/** What is known of a stream. */
export function streamInfo(stream: StreamMount["stream"]): Info {
  return { type: FileType.STREAM, size: 0n, modifiedNs: 0n, terminal: stream.isTTY === true };
}
