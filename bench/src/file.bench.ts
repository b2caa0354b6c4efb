import {
  closeSync,
  mkdtempSync,
  openSync,
  readSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create, toBinary } from "@bufbuild/protobuf";
import { file, FileService, Whence } from "@dropthrough/file";
import { byChance, type CaseMaker } from "./case.ts";
import { loopGuest, type LoopOptions } from "./loop-guest.ts";

const { open, read, readAt, seek, write: writeOn, writeAt } = FileService.method;

const SERVICE = FileService.typeName;
/** Of the file that is read from its beginning to its end, over and over. */
const WHOLE = 16 * 1024 * 1024;

/** `readSync` and `writeSync`, of bytes. */
type BytesMover = (fd: number, bytes: Buffer, at: number, length: number, offset: number) => number;

interface FileCase {
  readonly what: string;
  readonly atMost?: number;
  /** Of the file. */
  readonly bytes: number;
  /** What the guest does, on handle 1. */
  readonly guest: Pick<LoopOptions, "method" | "request" | "after">;
  /** The same, with a descriptor and a buffer. */
  readonly plain: (fd: number, buffer: Buffer) => void;
}

/** One call on an open file, beside the same call of Node's `fs` on the same bytes. */
function onFile(name: string, size: number, options: FileCase): CaseMaker {
  const { what, atMost, bytes, guest, plain } = options;
  return {
    name,
    async make() {
      const folder = mkdtempSync(join(tmpdir(), "dropthrough-bench-"));
      const path = join(folder, "f");
      writeFileSync(path, filled(bytes));
      const fd = openSync(path, "r+");
      const buffer = filled(size);
      const { sample, host } = await loopGuest({
        ...guest,
        backends: [file({ mounts: { "/b": { path: folder, write: true } } })],
        setup: {
          method: `${SERVICE}/Open`,
          request: toBinary(
            open.input,
            create(open.input, { path: "/b/f", read: true, write: true }),
          ),
        },
      });
      return {
        what,
        ...(atMost !== undefined && { atMost }),
        subject: sample,
        baseline(count) {
          const start = process.hrtime.bigint();
          for (let i = 0; i < count; i++) plain(fd, buffer);
          return Number(process.hrtime.bigint() - start);
        },
        async close() {
          await host[Symbol.asyncDispose]();
          closeSync(fd);
          rmSync(folder, { recursive: true, force: true });
        },
      };
    },
  };
}

/** A file from its beginning to its end, over and over, so many bytes at a time. */
function throughFile(name: string, size: number, atMost: number, write = false): CaseMaker {
  const plain: BytesMover = write ? writeSync : readSync;
  let offset = 0;
  return onFile(name, size, {
    what: `fs.${plain.name} of the same bytes`,
    atMost,
    bytes: WHOLE,
    guest: {
      method: `${SERVICE}/${write ? "Write" : "Read"}`,
      request: write
        ? toBinary(writeOn.input, create(writeOn.input, { handle: 1n, data: filled(size) }))
        : toBinary(read.input, create(read.input, { handle: 1n, length: size })),
      after: {
        every: WHOLE / size,
        method: `${SERVICE}/Seek`,
        request: toBinary(seek.input, create(seek.input, { handle: 1n, whence: Whence.START })),
      },
    },
    plain(fd, buffer) {
      offset += plain(fd, buffer, 0, size, offset);
      if (offset === WHOLE) offset = 0;
    },
  });
}

/** The same bytes of a file, over and over: nothing can be read ahead, and what is written stays in the processor's cache. */
function atPlace(name: string, size: number, write = false): CaseMaker {
  const plain: BytesMover = write ? writeSync : readSync;
  return onFile(name, size, {
    what: `fs.${plain.name} of the same bytes, always at one place`,
    bytes: size,
    guest: {
      method: `${SERVICE}/${write ? "WriteAt" : "ReadAt"}`,
      request: write
        ? toBinary(writeAt.input, create(writeAt.input, { handle: 1n, data: filled(size) }))
        : toBinary(readAt.input, create(readAt.input, { handle: 1n, length: size })),
    },
    plain: (fd, buffer) => plain(fd, buffer, 0, size, 0),
  });
}

function filled(size: number): Buffer {
  return Buffer.alloc(size, 7);
}

const cases: readonly CaseMaker[] = [
  throughFile("file.read1k", 1024, 1.3),
  throughFile("file.read64k", 65536, 1.15),
  byChance(throughFile("file.write64k", 65536, 1.15, true)),
  atPlace("file.readAt1k", 1024),
  atPlace("file.readAt64k", 65536),
  atPlace("file.writeAt64k", 65536, true),
];

export default cases;
