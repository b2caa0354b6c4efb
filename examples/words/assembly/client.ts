// The client guest: walks the folders that it was given through the file backend, splits every text file into words, and
// calls words.v1.WordsService/Add in batches. It knows nothing of Redis.
//
//   client [--top N] [--json] PATH ...
//
// Exit codes: 0 all was counted; 1 something could not be; 2 usage; 75 not available right now, try again.
import { args, Code, describe, exit, launch, Status } from "@dropthrough/assemblyscript/assembly";
import { decodeUtf8 } from "@dropthrough/assemblyscript/assembly/utf8";
import {
  CloseRequest,
  FileServiceClient,
  FileType,
  ListRequest,
  OpenRequest,
  ReadRequest,
  StatRequest,
} from "./gen/dropthrough/file/v1/file";
import {
  AddRequest,
  ClearRequest,
  Count,
  TopRequest,
  WordsServiceClient,
} from "./gen/words/v1/words";
import { Output, quoted, shown, textOf } from "./output";
import { bytesOf, isAscii, MOST_BYTES, WordCounter } from "./words";

const CHUNK: u32 = 64 * 1024;
/** A NUL among so many first bytes makes a file binary. */
const HEAD: i32 = 8192;
const BATCH_WORDS: i32 = 4096;
const BATCH_BYTES: i32 = 512 * 1024;
/** Elsewhere than on a terminal, progress is a line for so many files. */
const FILES_A_LINE: i32 = 100;

const EXIT_PARTIAL: i32 = 1;
const EXIT_USAGE: i32 = 2;
const EXIT_TRY_AGAIN: i32 = 75;

const files = new FileServiceClient();
const words = new WordsServiceClient();
const out = new Output(files, "/dev/stdout");
const err = new Output(files, "/dev/stderr");
const counter = new WordCounter();

let top: u32 = 20;
let json: bool = false;
let read: i32 = 0;
let skipped: i32 = 0;
let failed: i32 = 0;

export function main(): void {
  launch("words.client").require(WordsServiceClient.service).runOrExit();
  if (!out.open() || !err.open()) exit(EXIT_PARTIAL, "standard output and error are not mounted");
  const roots = options();
  for (let i = 0; i < roots.length; i++) countRoot(roots[i]);
  flush();
  err.clear();
  const summary =
    "counted the words of " +
    plural(read, "file") +
    (skipped > 0 ? ", skipped " + skipped.toString() : "");
  err.print(failed > 0 ? summary + ", could not read " + failed.toString() : summary);
  printTop();
  words.clear(new ClearRequest());
  if (failed > 0) exit(EXIT_PARTIAL);
}

/** Takes the options; answers the paths. */
function options(): string[] {
  const given = args();
  const paths: string[] = [];
  for (let i = 0; i < given.length; i++) {
    if (given[i] == "--json") json = true;
    else if (given[i] == "--top" && i + 1 < given.length) {
      top = <u32>I32.parseInt(given[++i]);
      if (top < 1 || top > 10_000) stop(EXIT_USAGE, "--top takes a number from 1 to 10000");
    } else paths.push(given[i]);
  }
  if (paths.length == 0) stop(EXIT_USAGE, "name a folder or a file");
  return paths;
}

function countRoot(path: string): void {
  const request = new StatRequest();
  request.path = path;
  const stat = files.stat(request);
  if (!stat.ok) {
    stop(EXIT_USAGE, stat.status.message);
    return;
  }
  const info = stat.value.info;
  if (info !== null && info.type$ == FileType.DIRECTORY) countDirectory(path);
  else countFile(path);
}

function countDirectory(path: string): void {
  const request = new ListRequest();
  request.path = path;
  do {
    const listed = files.list(request);
    if (!listed.ok) {
      fail(listed.status.message);
      return;
    }
    const entries = listed.value.entries;
    for (let i = 0; i < entries.length; i++) {
      const child = path + "/" + entries[i].name;
      const type = entries[i].type$;
      if (type == FileType.DIRECTORY) countDirectory(child);
      else if (type == FileType.REGULAR) countFile(child);
      else skip(child, type == FileType.LINK ? "a link" : "no regular file");
    }
    if (listed.value.unnamable > 0)
      fail(path + ": " + plural(listed.value.unnamable, "name") + " that is no UTF-8");
    request.cursor = listed.value.cursor;
  } while (request.cursor.length > 0);
}

function countFile(path: string): void {
  const request = new OpenRequest();
  request.path = path;
  request.read$ = true;
  const opened = files.open(request);
  if (!opened.ok) {
    fail(opened.status.message);
    return;
  }
  const handle = opened.value.handle;
  const reason = countContent(path, handle);
  const close = new CloseRequest();
  close.handle = handle;
  files.close(close);
  if (reason != "") return;
  read++;
  if (err.terminal || read % FILES_A_LINE == 0)
    err.progress(plural(read, "file") + ": " + shown(path));
}

/** Reads a file to its end. Answers why it was skipped, or nothing. */
function countContent(path: string, handle: u64): string {
  const request = new ReadRequest();
  request.handle = handle;
  request.length = CHUNK;
  let head = new Uint8Array(0);
  let begun = false;
  while (true) {
    const result = files.read(request);
    if (!result.ok) {
      counter.end();
      fail(result.status.message);
      return "failed";
    }
    const data = result.value.data;
    if (begun) counter.push(data, 0);
    else {
      // A read may be short: what is text is known only after the first 8,192 bytes, or all.
      head = joined(head, data);
      if (head.length < HEAD && data.length > 0) continue;
      if (hasNul(head)) {
        skip(path, "binary");
        return "binary";
      }
      counter.push(head, 0);
      begun = true;
    }
    if (data.length == 0) break;
    if (counter.counts.size >= BATCH_WORDS || counter.bytes >= BATCH_BYTES) flush();
  }
  counter.end();
  if (counter.tooLong > 0) {
    fail(
      path +
        ": " +
        plural(counter.tooLong, "word") +
        " of more than " +
        MOST_BYTES.toString() +
        " bytes not counted",
    );
    counter.tooLong = 0;
  }
  return "";
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length);
  memory.copy(both.dataStart, a.dataStart, a.length);
  memory.copy(both.dataStart + a.length, b.dataStart, b.length);
  return both;
}

function hasNul(head: Uint8Array): bool {
  for (let i = 0; i < min(head.length, HEAD); i++) if (unchecked(head[i]) == 0) return true;
  return false;
}

/** Sends what was counted. */
function flush(): void {
  if (counter.counts.size == 0) return;
  const request = new AddRequest();
  const keys = counter.counts.keys();
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i];
    const count = counter.counts.get(key);
    const bytes = bytesOf(key);
    const word = isAscii(key) ? key : decodeUtf8(bytes.dataStart, bytes.length);
    if (word !== null) request.words.set(word, count);
    else {
      const raw = new Count();
      raw.word = bytes;
      raw.count = count;
      request.raw.push(raw);
    }
  }
  const added = words.add(request);
  if (!added.ok) giveUp(added.status);
  counter.clear();
}

function printTop(): void {
  const request = new TopRequest();
  request.limit = top;
  const result = words.top(request);
  if (!result.ok) {
    giveUp(result.status);
    return;
  }
  const counts = result.value.counts;
  if (json) {
    const rows: string[] = [];
    for (let i = 0; i < counts.length; i++) {
      rows.push("[" + quoted(textOf(counts[i].word)) + "," + counts[i].count.toString() + "]");
    }
    out.print("[" + rows.join(",") + "]");
    return;
  }
  let width = 5;
  for (let i = 0; i < counts.length; i++) width = max(width, counts[i].count.toString().length);
  out.print("count".padStart(width) + "  word");
  for (let i = 0; i < counts.length; i++) {
    out.print(counts[i].count.toString().padStart(width) + "  " + shown(textOf(counts[i].word)));
  }
}

function skip(path: string, why: string): void {
  skipped++;
  err.print("skipped " + shown(path) + ": " + why);
}

function fail(message: string): void {
  failed++;
  err.print(shown(message));
}

function giveUp(status: Status): void {
  if (status.code == Code.UNAVAILABLE) stop(EXIT_TRY_AGAIN, status.message);
  else stop(EXIT_PARTIAL, describe(status));
}

function stop(code: i32, message: string): void {
  err.print("words: " + shown(message));
  exit(code);
}

function plural(count: i32, noun: string): string {
  return count.toString() + " " + noun + (count == 1 ? "" : "s");
}
