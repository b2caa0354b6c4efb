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
import { file, FileService } from "@dropthrough/file";
import type { CaseMaker } from "./case.ts";
import { loopGuest } from "./loop-guest.ts";

const { open, readAt, writeAt } = FileService.method;

/** One call on an open file, beside the same call of Node's `fs` on the same bytes. */
function onFile(name: string, size: number, atMost: number, write: boolean): CaseMaker {
  return {
    name,
    async make() {
      const folder = mkdtempSync(join(tmpdir(), "dropthrough-bench-"));
      const path = join(folder, "f");
      writeFileSync(path, Buffer.alloc(size, 7));
      const fd = openSync(path, "r+");
      const buffer = Buffer.alloc(size, 7);
      const request = write
        ? toBinary(writeAt.input, create(writeAt.input, { handle: 1n, data: buffer }))
        : toBinary(readAt.input, create(readAt.input, { handle: 1n, length: size }));
      const { sample, host } = await loopGuest({
        method: `dropthrough.file.v1.FileService/${write ? "WriteAt" : "ReadAt"}`,
        request,
        backends: [file({ mounts: { "/b": { path: folder, write: true } } })],
        setup: {
          method: "dropthrough.file.v1.FileService/Open",
          request: toBinary(
            open.input,
            create(open.input, { path: "/b/f", read: true, write: true }),
          ),
        },
      });
      return {
        what: `fs.${write ? "writeSync" : "readSync"} of the same bytes`,
        atMost,
        subject: sample,
        baseline(count) {
          const start = process.hrtime.bigint();
          for (let i = 0; i < count; i++) {
            if (write) writeSync(fd, buffer, 0, size, 0);
            else readSync(fd, buffer, 0, size, 0);
          }
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

const cases: readonly CaseMaker[] = [
  onFile("file.read1k", 1024, 1.3, false),
  onFile("file.read64k", 65536, 1.15, false),
  onFile("file.write64k", 65536, 1.15, true),
];

export default cases;
