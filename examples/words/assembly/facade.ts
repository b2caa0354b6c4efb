// The facade guest: answers words.v1.WordsService by dropping through to Redis. It keeps a connection id and a key that
// its callers never see, and makes failures friendlier: what may pass when tried again is UNAVAILABLE with one sentence, the
// details go to the log.
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
import { DeleteRequest } from "./gen/dropthrough/redis/v1/strings";
import { OpenRequest, RedisServiceClient } from "./gen/dropthrough/redis/v1/redis";
import {
  RankRange,
  ScoreIncrement,
  SortedSetIncrementRequest,
  SortedSetRangeRequest,
} from "./gen/dropthrough/redis/v1/sorted_sets";
import { ExpireRequest } from "./gen/dropthrough/redis/v1/expiry";
import {
  AddRequest,
  AddResponse,
  ClearRequest,
  ClearResponse,
  Count,
  TopRequest,
  TopResponse,
  WordsServiceServer,
} from "./gen/words/v1/words";

const TRY_AGAIN: string = "not available right now, please try again";
const MOST_TOP: u32 = 10_000;
/** A count that nobody cleared is forgotten after an hour. */
const FORGET_AFTER_MS: i64 = 60 * 60 * 1000;

const redis = new RedisServiceClient();
const log = new LogServiceClient();

@final
class Words extends WordsServiceServer {
  /** Names our connection to Redis; empty if there is none. */
  private connection: string = "";
  /** Where the counts are; named after the first connection, so that no two counts meet. */
  private key: Uint8Array = new Uint8Array(0);
  private expires: bool = false;

  add(request: AddRequest): Result<AddResponse> {
    const increment = new SortedSetIncrementRequest();
    const words = request.words.keys();
    for (let i = 0; i < words.length; i++) {
      const word = Uint8Array.wrap(String.UTF8.encode(words[i]));
      if (!push(increment, word, request.words.get(words[i]))) return badCount();
    }
    for (let i = 0; i < request.raw.length; i++) {
      if (!push(increment, request.raw[i].word, request.raw[i].count)) return badCount();
    }
    if (increment.increments.length == 0) return ok(new AddResponse());
    const opened = this.open();
    if (opened !== null) return this.friendlier<AddResponse>("Add", opened);
    increment.connectionId = this.connection;
    increment.key = this.key;
    const incremented = redis.sortedSetIncrement(increment);
    if (!incremented.ok) return this.friendlier<AddResponse>("Add", incremented.status);
    this.forgetLater();
    const response = new AddResponse();
    response.added = increment.increments.length;
    return ok(response);
  }

  top(request: TopRequest): Result<TopResponse> {
    if (request.limit < 1 || request.limit > MOST_TOP) {
      return fail<TopResponse>(Code.INVALID_ARGUMENT, "a limit is 1 to " + MOST_TOP.toString());
    }
    const opened = this.open();
    if (opened !== null) return this.friendlier<TopResponse>("Top", opened);
    const range = new SortedSetRangeRequest();
    range.connectionId = this.connection;
    range.key = this.key;
    range.withScores = true;
    const rank = new RankRange();
    rank.stop = request.limit - 1;
    range.rank = rank;
    const found = redis.sortedSetRange(range);
    if (!found.ok) return this.friendlier<TopResponse>("Top", found.status);
    const response = new TopResponse();
    for (let i = 0; i < found.value.members.length; i++) {
      const count = new Count();
      count.word = found.value.members[i].member;
      count.count = <i64>-found.value.members[i].score;
      response.counts.push(count);
    }
    return ok(response);
  }

  clear(request: ClearRequest): Result<ClearResponse> {
    if (this.connection == "") return ok(new ClearResponse());
    const remove = new DeleteRequest();
    remove.connectionId = this.connection;
    remove.keys.push(this.key);
    const removed = redis.delete(remove);
    if (!removed.ok) return this.friendlier<ClearResponse>("Clear", removed.status);
    return ok(new ClearResponse());
  }

  /** Opens the connection, if there is none. Answers why it cannot be, or null. */
  private open(): Status | null {
    if (this.connection != "") return null;
    const opened = redis.open(new OpenRequest());
    if (!opened.ok) return opened.status;
    this.connection = opened.value.connectionId;
    if (this.key.length > 0) return null;
    this.key = Uint8Array.wrap(String.UTF8.encode("words:" + this.connection));
    write(Level.DEBUG, "counting begins");
    return null;
  }

  /** Has Redis forget the counts an hour after the first of them. */
  private forgetLater(): void {
    if (this.expires) return;
    const expire = new ExpireRequest();
    expire.connectionId = this.connection;
    expire.key = this.key;
    expire.ttlMs = FORGET_AFTER_MS;
    this.expires = redis.expire(expire).ok;
  }

  /** A failure of Redis as our callers are to see it. */
  private friendlier<T>(method: string, status: Status): Result<T> {
    write(Level.ERROR, method + " failed: " + describe(status));
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
        return fail<T>(Code.INTERNAL, "the words service has a problem; its log says which");
    }
  }
}

/** Adds a word to a request. Counts are kept below zero: Redis orders by (score, bytes), so the highest count comes first. */
function push(request: SortedSetIncrementRequest, word: Uint8Array, count: i64): bool {
  if (word.length == 0 || count < 1) return false;
  const increment = new ScoreIncrement();
  increment.member = word;
  increment.by = -(<f64>count);
  request.increments.push(increment);
  return true;
}

function badCount(): Result<AddResponse> {
  return fail<AddResponse>(
    Code.INVALID_ARGUMENT,
    "a word is not empty, and its count is 1 or more",
  );
}

/** Writes to the log; whether that works changes nothing for our callers. */
function write(level: i32, message: string): void {
  const record = new Record();
  record.level = level;
  record.message = message;
  const request = new WriteRequest();
  request.record = record;
  log.write(request);
}

export function main(): void {
  launch("words.facade")
    .export(new Words())
    .require(RedisServiceClient.service)
    .require(LogServiceClient.service)
    .runOrExit();
}
