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
import type { CaseMaker } from "./case.ts";
import { loopGuest, type LoopOptions } from "./loop-guest.ts";

const { open, read, readAt, seek, writeAt } = FileService.method;

const SERVICE = FileService.typeName;
/** Of the file that is read from its beginning to its end, over and over. */
const WHOLE = 16 * 1024 * 1024;

interface FileCase {
  readonly what: string;
  readonly atMost?: number;
  /** Of the file. */
  readonly bytes: number;
  /** What the guest does, on handle 1. */
  readonly guest: Pick<LoopOptions, "method" | "request" | "atEnd">;
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
      writeFileSync(path, Buffer.alloc(bytes, 7));
      const fd = openSync(path, "r+");
      const buffer = Buffer.alloc(size, 7);
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
function readOn(name: string, size: number, atMost: number): CaseMaker {
  let offset = 0;
  return onFile(name, size, {
    what: "fs.readSync of the same bytes",
    atMost,
    bytes: WHOLE,
    guest: {
      method: `${SERVICE}/Read`,
      request: toBinary(read.input, create(read.input, { handle: 1n, length: size })),
      atEnd: {
        method: `${SERVICE}/Seek`,
        request: toBinary(seek.input, create(seek.input, { handle: 1n, whence: Whence.START })),
      },
    },
    plain(fd, buffer) {
      const count = readSync(fd, buffer, 0, size, offset);
      offset = count === 0 ? 0 : offset + count;
    },
  });
}

/** The same bytes of a file, over and over: nothing can be known before. */
function readOne(name: string, size: number): CaseMaker {
  return onFile(name, size, {
    what: "fs.readSync of the same bytes, which are always at one place",
    bytes: size,
    guest: {
      method: `${SERVICE}/ReadAt`,
      request: toBinary(readAt.input, create(readAt.input, { handle: 1n, length: size })),
    },
    plain: (fd, buffer) => readSync(fd, buffer, 0, size, 0),
  });
}

function writeOne(name: string, size: number, atMost: number): CaseMaker {
  const written = { handle: 1n, data: Buffer.alloc(size, 7) };
  return onFile(name, size, {
    what: "fs.writeSync of the same bytes",
    atMost,
    bytes: size,
    guest: {
      method: `${SERVICE}/WriteAt`,
      request: toBinary(writeAt.input, create(writeAt.input, written)),
    },
    plain: (fd, buffer) => writeSync(fd, buffer, 0, size, 0),
  });
}

const cases: readonly CaseMaker[] = [
  readOn("file.read1k", 1024, 1.3),
  readOn("file.read64k", 65536, 1.15),
  readOne("file.readAt1k", 1024),
  readOne("file.readAt64k", 65536),
  writeOne("file.write64k", 65536, 1.15),
];

export default cases;
