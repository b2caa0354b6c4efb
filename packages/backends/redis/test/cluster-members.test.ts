import { expect, test } from "vitest";
import { isMember } from "../src/server/cluster-members.ts";

const said = [
  "a 10.0.0.1:6379@16379,one.example,shard-id=x myself,master - 0 0 1 connected 0-16383",
  "b 10.0.0.2:6379@16379 slave a 0 1 1 connected",
  "c 10.0.0.3:6379@16379,three.example master - 0 1 2 connected",
  "d 10.0.0.4:6379@16379 master,fail? - 0 1 3 connected",
  "e 10.0.0.5:6379@16379 master,fail - 0 1 4 disconnected",
  "f 10.0.0.6:6379@16379 handshake - 0 0 0 connected",
  "g :0@0 slave,noaddr a 0 1 1 disconnected",
  "",
].join("\n");

test("a node is in a cluster as a master or a replica, by its host or its name, and not once it has failed or is forgotten", () => {
  const members = ["10.0.0.2", "10.0.0.3", "three.example", "10.0.0.4"];
  const others = ["10.0.0.5", "10.0.0.6", "10.0.0.7", "", "10.0.0"];
  for (const host of members) expect([host, isMember(said, `${host}:6379`)]).toEqual([host, true]);
  for (const host of others) expect([host, isMember(said, `${host}:6379`)]).toEqual([host, false]);
  expect(isMember(said, "10.0.0.2:6380")).toBe(false);
  for (const host of ["10.0.0.1", "one.example"]) {
    expect(() => isMember(said, `${host}:6379`)).toThrow("cannot say whether others know it");
  }
});
