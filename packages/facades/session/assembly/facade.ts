// The session store: answers dropthrough.session.v1.SessionService by dropping through to Redis. It holds the connection
// id, puts a prefix before every key and a time to live on it, hides both, and folds failures of Redis into one friendly answer.
import {
  Code,
  describe,
  fail,
  launch,
  ok,
  Result,
  Status,
} from "@dropthrough/assemblyscript/assembly";
import { Level, LogServiceClient, Record, WriteRequest } from "./gen/dropthrough/log/v1/log";
import { ExpireRequest } from "./gen/dropthrough/redis/v1/expiry";
import { ScanRequest } from "./gen/dropthrough/redis/v1/keys";
import { OpenRequest, RedisServiceClient } from "./gen/dropthrough/redis/v1/redis";
import {
  DeleteRequest,
  GetRequest as RedisGetRequest,
  SetRequest,
} from "./gen/dropthrough/redis/v1/strings";
import {
  CountRequest,
  CountResponse,
  EndRequest,
  EndResponse,
  GetRequest,
  GetResponse,
  PutRequest,
  PutResponse,
  SessionServiceServer,
  TouchRequest,
  TouchResponse,
} from "./gen/dropthrough/session/v1/session";

const PREFIX: string = "session:";
const TRY_AGAIN: string = "not available right now, please try again";
const NOT_MENDED: string =
  "the session store has a problem that trying again does not mend: tell its operator, whose log says which";
const HALF_AN_HOUR_MS: u64 = 30 * 60 * 1000;
const YEAR_MS: u64 = 366 * 24 * 60 * 60 * 1000;
const MOST_ID: i32 = 256;
const MOST_DATA: i32 = 1024 * 1024;

const redis = new RedisServiceClient();
const log = new LogServiceClient();

@final
class Sessions extends SessionServiceServer {
  private connection: string = "";

  put(request: PutRequest): Result<PutResponse> {
    if (badId(request.id)) return invalid<PutResponse>("an id has 1 to 256 bytes");
    if (request.ttlMs > YEAR_MS) return invalid<PutResponse>("a session lives for a year at most");
    if (request.data.length > MOST_DATA)
      return invalid<PutResponse>("a session holds 1 MiB at most");
    const opened = this.open();
    if (opened !== null) return this.friendlier<PutResponse>("Put", opened);
    const set = new SetRequest();
    set.connectionId = this.connection;
    set.key = keyOf(request.id);
    set.value = request.data;
    set.expireInMs = ttlOf(request.ttlMs);
    const done = redis.set(set);
    if (!done.ok) return this.friendlier<PutResponse>("Put", done.status);
    return ok(new PutResponse());
  }

  get(request: GetRequest): Result<GetResponse> {
    if (badId(request.id)) return invalid<GetResponse>("an id has 1 to 256 bytes");
    const opened = this.open();
    if (opened !== null) return this.friendlier<GetResponse>("Get", opened);
    const get = new RedisGetRequest();
    get.connectionId = this.connection;
    get.key = keyOf(request.id);
    const found = redis.get(get);
    if (!found.ok) return this.friendlier<GetResponse>("Get", found.status);
    if (!found.value.hasValue) return gone<GetResponse>();
    const response = new GetResponse();
    response.data = found.value.value;
    return ok(response);
  }

  touch(request: TouchRequest): Result<TouchResponse> {
    if (badId(request.id)) return invalid<TouchResponse>("an id has 1 to 256 bytes");
    if (request.ttlMs > YEAR_MS)
      return invalid<TouchResponse>("a session lives for a year at most");
    const opened = this.open();
    if (opened !== null) return this.friendlier<TouchResponse>("Touch", opened);
    const expire = new ExpireRequest();
    expire.connectionId = this.connection;
    expire.key = keyOf(request.id);
    expire.ttlMs = ttlOf(request.ttlMs);
    const done = redis.expire(expire);
    if (!done.ok) return this.friendlier<TouchResponse>("Touch", done.status);
    return done.value.applied ? ok(new TouchResponse()) : gone<TouchResponse>();
  }

  end(request: EndRequest): Result<EndResponse> {
    if (badId(request.id)) return invalid<EndResponse>("an id has 1 to 256 bytes");
    const opened = this.open();
    if (opened !== null) return this.friendlier<EndResponse>("End", opened);
    const remove = new DeleteRequest();
    remove.connectionId = this.connection;
    remove.keys.push(keyOf(request.id));
    const done = redis.delete(remove);
    if (!done.ok) return this.friendlier<EndResponse>("End", done.status);
    return ok(new EndResponse());
  }

  count(request: CountRequest): Result<CountResponse> {
    const opened = this.open();
    if (opened !== null) return this.friendlier<CountResponse>("Count", opened);
    const scan = new ScanRequest();
    scan.connectionId = this.connection;
    scan.match = Uint8Array.wrap(String.UTF8.encode(PREFIX + "*"));
    scan.count = 1000;
    // Redis may answer a key more than once.
    const seen = new Set<string>();
    do {
      const page = redis.scan(scan);
      if (!page.ok) return this.friendlier<CountResponse>("Count", page.status);
      for (let i = 0; i < page.value.keys.length; i++) {
        const key = page.value.keys[i];
        seen.add(String.UTF8.decodeUnsafe(key.dataStart, key.length));
      }
      scan.cursor = page.value.cursor;
    } while (scan.cursor.length > 0);
    const response = new CountResponse();
    response.count = seen.size;
    return ok(response);
  }

  /** Opens the connection, if there is none. Answers why it cannot be, or null. */
  private open(): Status | null {
    if (this.connection != "") return null;
    const opened = redis.open(new OpenRequest());
    if (!opened.ok) return opened.status;
    this.connection = opened.value.connectionId;
    return null;
  }

  /** A failure of Redis as our callers are to see it. The details are for the operator. */
  private friendlier<T>(method: string, status: Status): Result<T> {
    const record = new Record();
    record.level = Level.ERROR;
    record.message = method + " failed: " + describe(status);
    const request = new WriteRequest();
    request.record = record;
    log.write(request);
    switch (status.code) {
      case Code.NOT_FOUND:
        // The connection is gone; the next call opens another.
        this.connection = "";
      case Code.CANCELLED:
      case Code.DEADLINE_EXCEEDED:
      case Code.RESOURCE_EXHAUSTED:
      case Code.ABORTED:
      case Code.UNAVAILABLE:
        return fail<T>(Code.UNAVAILABLE, TRY_AGAIN);
      default:
        return fail<T>(Code.INTERNAL, NOT_MENDED);
    }
  }
}

function badId(id: string): bool {
  return id.length == 0 || String.UTF8.byteLength(id) > MOST_ID;
}

function keyOf(id: string): Uint8Array {
  return Uint8Array.wrap(String.UTF8.encode(PREFIX + id));
}

function ttlOf(ms: u64): i64 {
  return <i64>(ms == 0 ? HALF_AN_HOUR_MS : ms);
}

function invalid<T>(message: string): Result<T> {
  return fail<T>(Code.INVALID_ARGUMENT, message);
}

function gone<T>(): Result<T> {
  return fail<T>(Code.NOT_FOUND, "there is no such session, or its time is up: begin one with Put");
}

export function main(): void {
  launch()
    .export(new Sessions())
    .require(RedisServiceClient.service)
    .require(LogServiceClient.service)
    .runOrExit();
}
