/**
 * For tests: a real redis-server of one's own.
 *
 * @packageDocumentation
 */
export { type RedisServer, type RedisServerOptions, startRedisServer } from "./redis-server.ts";
export { connectNodeRedis, type NodeRedis, type NodeRedisPipeline } from "./node-redis.ts";
