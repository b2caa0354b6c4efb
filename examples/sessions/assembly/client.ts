// The client guest: keeps sessions through dropthrough.session.v1.SessionService. It knows nothing of Redis, of keys or of connections.
//
//   client [put ID TEXT [MS] | get ID | touch ID [MS] | end ID | count]
//
// Exit codes: 0 done; 1 there is no such session; 2 usage; 75 not available right now, try again.
import { args, Code, exit, launch, Status } from "@dropthrough/assemblyscript/assembly";
import { FileServiceClient, OpenRequest, WriteRequest } from "./gen/dropthrough/file/v1/file";
import {
  CountRequest,
  EndRequest,
  GetRequest,
  PutRequest,
  SessionServiceClient,
  TouchRequest,
} from "./gen/dropthrough/session/v1/session";

const EXIT_NOT_FOUND: i32 = 1;
const EXIT_USAGE: i32 = 2;
const EXIT_TRY_AGAIN: i32 = 75;

const sessions = new SessionServiceClient();
const files = new FileServiceClient();

export function main(): void {
  launch("sessions.client").require(SessionServiceClient.service).runOrExit();
  const given = args();
  if (given.length == 0) {
    tour();
    return;
  }
  const status = command(given);
  if (status !== null) stop(status);
}

/** All commands, each with what it answers. */
function tour(): void {
  step(["put", "ada", "two books in her cart"]);
  step(["put", "grace", "on page three", "60000"]);
  step(["get", "ada"]);
  step(["touch", "ada"]);
  step(["count"]);
  step(["end", "ada"]);
  step(["get", "ada"]);
  step(["end", "grace"]);
}

function step(words: string[]): void {
  print("/dev/stdout", "> " + words.join(" "));
  const status = command(words);
  if (status === null) return;
  if (status.code != Code.NOT_FOUND) stop(status);
  print("/dev/stdout", status.message);
}

/** Does one; answers why it could not be done, or null. */
function command(words: string[]): Status | null {
  const name = words[0];
  if (name == "put" && (words.length == 3 || words.length == 4)) {
    const request = new PutRequest();
    request.id = words[1];
    request.data = Uint8Array.wrap(String.UTF8.encode(words[2]));
    request.ttlMs = milliseconds(words, 3);
    const put = sessions.put(request);
    return put.ok ? null : put.status;
  }
  if (name == "get" && words.length == 2) {
    const request = new GetRequest();
    request.id = words[1];
    const got = sessions.get(request);
    if (!got.ok) return got.status;
    const data = got.value.data;
    print("/dev/stdout", String.UTF8.decodeUnsafe(data.dataStart, data.length));
    return null;
  }
  if (name == "touch" && (words.length == 2 || words.length == 3)) {
    const request = new TouchRequest();
    request.id = words[1];
    request.ttlMs = milliseconds(words, 2);
    const touched = sessions.touch(request);
    return touched.ok ? null : touched.status;
  }
  if (name == "end" && words.length == 2) {
    const request = new EndRequest();
    request.id = words[1];
    const ended = sessions.end(request);
    return ended.ok ? null : ended.status;
  }
  if (name == "count" && words.length == 1) {
    const counted = sessions.count(new CountRequest());
    if (!counted.ok) return counted.status;
    print("/dev/stdout", counted.value.count.toString());
    return null;
  }
  complain("put ID TEXT [MS], get ID, touch ID [MS], end ID or count");
  exit(EXIT_USAGE);
  return null;
}

/** How long a session is to live; 0, which stands for half an hour, if nothing is said. */
function milliseconds(words: string[], at: i32): u64 {
  if (at >= words.length) return 0;
  const text = words[at];
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 0x30;
    if (digit < 0 || digit > 9 || text.length > 15) {
      complain(text + " is no number of milliseconds");
      exit(EXIT_USAGE);
    }
  }
  return U64.parseInt(text);
}

/** What the facade says is meant for people. */
function stop(status: Status): void {
  complain(status.message);
  if (status.code == Code.NOT_FOUND) exit(EXIT_NOT_FOUND);
  if (status.code == Code.UNAVAILABLE) exit(EXIT_TRY_AGAIN);
  exit(EXIT_USAGE);
}

function complain(text: string): void {
  print("/dev/stderr", "sessions: " + text);
}

function print(path: string, text: string): void {
  const open = new OpenRequest();
  open.path = path;
  open.write$ = true;
  const opened = files.open(open);
  if (!opened.ok) exit(EXIT_USAGE, path + " is not mounted");
  const write = new WriteRequest();
  write.handle = opened.value.handle;
  write.data = Uint8Array.wrap(String.UTF8.encode(text + "\n"));
  files.write(write);
}
