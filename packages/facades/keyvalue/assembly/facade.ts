// Keys and values: answers dropthrough.keyvalue.v1.KeyValueService by passing every call on to Redis as it is. The messages
// are the same bytes there, so nothing is decoded, and a method is one line: its name.
import { launch, PassThrough } from "@dropthrough/assemblyscript/assembly";
import { RedisServiceClient } from "./gen/dropthrough/redis/v1/redis";

const METHODS: string[] = [
  "Get",
  "Set",
  "Delete",
  "Exists",
  "Increment",
  "CompareAndSet",
  "Expire",
  "TimeToLive",
];

export function main(): void {
  const redis = RedisServiceClient.service;
  launch()
    .export(new PassThrough("dropthrough.keyvalue.v1.KeyValueService", METHODS, redis))
    .require(redis)
    .runOrExit();
}
