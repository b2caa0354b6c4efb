import fs, { mkdtempSync, readSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { defineBackend, LocalCaller, type Session } from "@dropthrough/dispatch";
import { EchoService, type InMemory, inMemory } from "@dropthrough/dispatch/testing";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { hostFileSystem } from "../src/file-system.ts";
import { file, FileService, Whence } from "../src/index.ts";
import { ReadAhead } from "../src/read-ahead.ts";

type Methods = (typeof FileService)["method"];

const KIB = 1024;
const CONTENT = Buffer.from(
  Uint8Array.from({ length: 1_000_003 }, (_, i) => (i * 31 + (i >> 8)) & 255),
);

let folder: string;
let path: string;
let backend: InMemory<typeof FileService>;
let guest: Session;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "dropthrough-ahead-"));
  path = join(folder, "f");
  writeFileSync(path, CONTENT);
  backend = inMemory(file({ mounts: { "/d": { path: folder, write: true } } }));
  guest = backend.registry.connect(new LocalCaller("guest"));
});
afterEach(async () => {
  vi.restoreAllMocks();
  await backend[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

/** Makes one call as a guest does: from memory to memory, and back before anything else happens. */
function call<M extends keyof Methods>(
  session: Session,
  method: M,
  init: MessageInitShape<Methods[M]["input"]>,
): Buffer {
  const { input, output, name, parent } = FileService.method[method];
  const bound = session.bind(`${parent.typeName}/${name}`);
  const memory = new Uint8Array(2 * KIB * KIB);
  const request = toBinary(input, create(input, init as object));
  memory.set(request);
  const response = bound.start(memory, 0, request.length, 0);
  const length = bound.write(response, memory, KIB * KIB, memory.length);
  const answered = fromBinary(output, memory.slice(KIB * KIB, KIB * KIB + length));
  return Buffer.from("data" in answered ? answered.data : []);
}

const open = (session: Session): void => void call(session, "open", OPEN);
const OPEN = { path: "/d/f", read: true, write: true };
const readOn = (length: number, session = guest): Buffer =>
  call(session, "read", { handle: 1n, length });

test.each([
  [1, 1000, 12],
  [7, 1000, 12],
  [KIB, 978, 16],
  [4096, 246, 14],
  [50_000, 22, 8],
  [65_536, 17, 9],
])("%i bytes at a time are the bytes of the file, by few reads of it", (length, times, most) => {
  open(guest);
  const reads = vi.spyOn(hostFileSystem, "readSync");
  const all = Buffer.concat(Array.from({ length: times }, () => readOn(length)));
  expect(all.equals(CONTENT.subarray(0, length * times))).toBe(true);
  expect(reads.mock.calls.length).toBeLessThanOrEqual(most);
});

test("as far as a file goes, and on when it has grown", () => {
  open(guest);
  for (let at = 0; at < CONTENT.length; at += 4096) readOn(4096);
  expect(readOn(4096)).toHaveLength(0);
  fs.appendFileSync(path, "more");
  expect(readOn(4096).toString()).toBe("more");
  expect(readOn(4096)).toHaveLength(0);
});

test("ReadAt at places that follow each other is read ahead too, at others never", () => {
  open(guest);
  const reads = vi.spyOn(hostFileSystem, "readSync");
  const at = (offset: number): Buffer =>
    call(guest, "readAt", { handle: 1n, offset: BigInt(offset), length: KIB });
  for (let i = 0; i < 64; i++)
    expect(at(i * KIB).equals(CONTENT.subarray(i * KIB, (i + 1) * KIB))).toBe(true);
  expect(reads.mock.calls.length).toBeLessThan(10);
  reads.mockClear();
  for (let i = 63; i > 0; i--)
    expect(at(i * KIB).equals(CONTENT.subarray(i * KIB, (i + 1) * KIB))).toBe(true);
  expect(reads).toHaveBeenCalledTimes(63);
  expect(reads.mock.calls.every((args) => (args as unknown[])[3] === KIB)).toBe(true);
});

test("no more is read ahead than twice what was read, and never more than 256 KiB", () => {
  open(guest);
  const reads = vi.spyOn(hostFileSystem, "readSync");
  let done = 0;
  let asked = 0;
  for (let i = 0; i < 900; i++) {
    const before = reads.mock.calls.length;
    readOn(KIB);
    for (const args of reads.mock.calls.slice(before) as unknown[][]) {
      const length = args[3] as number;
      expect(length).toBeLessThanOrEqual(Math.min(256 * KIB, Math.max(KIB, 2 * done)));
      asked = Math.max(asked, length);
    }
    done += KIB;
  }
  expect(asked).toBe(256 * KIB);
});

test("two files in turn are not read ahead: there is no run", () => {
  open(guest);
  open(guest);
  const reads = vi.spyOn(hostFileSystem, "readSync");
  for (let i = 0; i < 20; i++)
    for (const handle of [1n, 2n])
      expect(
        call(guest, "read", { handle, length: 10 }).equals(CONTENT.subarray(i * 10, (i + 1) * 10)),
      ).toBe(true);
  expect(reads).toHaveBeenCalledTimes(40);
});

const NEW = Buffer.alloc(CONTENT.length, 1);
const rewrite = (): void => {
  const fd = fs.openSync(path, "r+");
  writeSync(fd, NEW, 0, NEW.length, 0);
  fs.closeSync(fd);
};

/** A backend of somebody else, which changes the file behind ours. */
const other = defineBackend({
  name: "other",
  service: EchoService,
  impl: {
    echo() {
      rewrite();
      return {};
    },
  },
});

const between: readonly [string, (stranger: Session) => Promise<void> | void][] = [
  ["by another handle of the guest", () => void call(guest, "writeAt", { handle: 2n, data: NEW })],
  ["by another guest", (stranger) => void call(stranger, "writeAt", { handle: 1n, data: NEW })],
  [
    "by the other backend that it calls",
    () => {
      const echo = guest.bind(`${EchoService.typeName}/Echo`);
      echo.start(new Uint8Array(), 0, 0, 0);
    },
  ],
  ["by anybody, while the guest waits", async () => Promise.resolve().then(rewrite)],
];

test.each(between)("what was written meanwhile is read: %s", async (_, write) => {
  backend.registry.use(other);
  const stranger = backend.registry.connect(new LocalCaller("stranger"));
  open(guest);
  open(guest);
  open(stranger);
  for (let i = 0; i < 5; i++) readOn(10);
  const pending = write(stranger);
  if (pending !== undefined) await pending;
  expect(readOn(10)).toEqual(NEW.subarray(0, 10));
});

test("what was cut off meanwhile is not there", () => {
  open(guest);
  for (let i = 0; i < 5; i++) readOn(10);
  call(guest, "truncate", { handle: 1n, size: 55n });
  expect(readOn(10)).toHaveLength(5);
  expect(readOn(10)).toHaveLength(0);
});

test("a guest that goes elsewhere in the file, and back, reads what is there now", () => {
  open(guest);
  for (let i = 0; i < 5; i++) readOn(10);
  rewrite();
  call(guest, "seek", { handle: 1n, offset: 50n, whence: Whence.START });
  expect(readOn(10)).toEqual(NEW.subarray(0, 10));
});

test("bytes that are encoded later than they were asked for are read then, and no others with them", () => {
  const ahead = new ReadAhead();
  const lengths: number[] = [];
  const fd = fs.openSync(path, "r");
  const source = {
    take(memory: Uint8Array, at: number, length: number, offset: number) {
      lengths.push(length);
      return readSync(fd, memory, at, length, offset);
    },
  };
  const memory = new Uint8Array(100);
  const ids = Array.from({ length: 10 }, (_, i) => i + 1);
  for (const id of ids) ahead.asks(id);
  for (const id of ids.slice(0, -1)) ahead.read(source, memory, 0, 10, id * 10, id);
  expect(lengths).toEqual(Array.from({ length: 9 }, () => 10));
  fs.closeSync(fd);
});
