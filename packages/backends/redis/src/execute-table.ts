/** Commands that would change the connection that all share, keep it waiting, or take it over. */
const NEVER: ReadonlySet<string> = new Set(
  `AUTH HELLO SELECT RESET QUIT CLIENT MONITOR MULTI EXEC DISCARD WATCH UNWATCH SYNC PSYNC REPLCONF WAIT WAITAOF
   SUBSCRIBE UNSUBSCRIBE PSUBSCRIBE PUNSUBSCRIBE SSUBSCRIBE SUNSUBSCRIBE READONLY READWRITE ASKING
   BLPOP BRPOP BLMOVE BLMPOP BRPOPLPUSH BZPOPMIN BZPOPMAX BZMPOP`.split(/\s+/),
);

/** Commands whose reply is keys and values, which need not be text. */
export const MAPS: ReadonlySet<string> = new Set(["HGETALL", "XREAD", "XREADGROUP"]);

/** The first and the last argument that is a key; below 0, counted from the end. */
type Places = readonly [number, number];

const FIRST: Places = [0, 0];
const FIRST_TWO: Places = [0, 1];
const ALL: Places = [0, -1];
const NONE: Places = [0, -Infinity];

/** Where commands have their keys. One that is not here cannot be used by a guest that has keys of its own. */
const KEYS: ReadonlyMap<string, Places> = new Map([
  ...names(
    FIRST,
    `GET SET SETEX PSETEX SETNX GETSET GETEX GETDEL APPEND STRLEN SETRANGE GETRANGE SUBSTR INCR INCRBY DECR DECRBY
     INCRBYFLOAT SETBIT GETBIT BITCOUNT BITPOS BITFIELD BITFIELD_RO DUMP RESTORE TYPE PERSIST EXPIRE EXPIREAT PEXPIRE
     PEXPIREAT TTL PTTL EXPIRETIME PEXPIRETIME HGET HSET HSETNX HMSET HMGET HDEL HEXISTS HINCRBY HINCRBYFLOAT HKEYS
     HVALS HLEN HSTRLEN HGETALL HRANDFIELD HSCAN LPUSH RPUSH LPUSHX RPUSHX LPOP RPOP LLEN LRANGE LINDEX LSET LTRIM
     LREM LINSERT LPOS SADD SREM SCARD SISMEMBER SMISMEMBER SMEMBERS SPOP SRANDMEMBER SSCAN ZADD ZREM ZCARD ZSCORE
     ZMSCORE ZINCRBY ZRANK ZREVRANK ZRANGE ZREVRANGE ZRANGEBYSCORE ZREVRANGEBYSCORE ZRANGEBYLEX ZREVRANGEBYLEX ZCOUNT
     ZLEXCOUNT ZPOPMIN ZPOPMAX ZREMRANGEBYRANK ZREMRANGEBYSCORE ZREMRANGEBYLEX ZRANDMEMBER ZSCAN PFADD GEOADD GEOPOS
     GEODIST GEOHASH GEOSEARCH XADD XLEN XRANGE XREVRANGE XDEL XTRIM XACK XPENDING XCLAIM XAUTOCLAIM`,
  ),
  ...["ENCODING", "FREQ", "IDLETIME", "REFCOUNT"].map((s) => [`OBJECT ${s}`, FIRST] as const),
  ...["CREATE", "DESTROY", "SETID", "CREATECONSUMER", "DELCONSUMER"].map(
    (s) => [`XGROUP ${s}`, FIRST] as const,
  ),
  ...["STREAM", "GROUPS", "CONSUMERS"].map((s) => [`XINFO ${s}`, FIRST] as const),
  ["MEMORY USAGE", FIRST],
  ...names(FIRST_TWO, "RENAME RENAMENX COPY LMOVE RPOPLPUSH SMOVE ZRANGESTORE GEOSEARCHSTORE"),
  ...names(
    ALL,
    `DEL UNLINK EXISTS TOUCH MGET PFCOUNT PFMERGE SINTER SUNION SDIFF SINTERSTORE SUNIONSTORE SDIFFSTORE`,
  ),
  ["BITOP", [1, -1]],
  ...names(NONE, "PING ECHO TIME"),
]);

function names(places: Places, text: string): (readonly [string, Places])[] {
  return text.split(/\s+/).map((name) => [name, places] as const);
}

/** Where a command has its keys among its arguments; undefined if that is not known. */
export function keyPlaces(name: string): Places | undefined {
  return KEYS.get(name);
}

/** @throws TypeError that names the command which cannot be listed */
export function checkListed(listed: Iterable<string>): void {
  for (const name of listed) {
    const [first = ""] = name.split(" ");
    if (NEVER.has(first)) {
      throw new TypeError(`redis: ${name} cannot be in execute: guests share their connections`);
    }
  }
}
