import { Code } from "@connectrpc/connect";
import { inMemory } from "@dropthrough/dispatch/testing";
import { createClient } from "@redis/client";
import { afterAll, expect, test } from "vitest";
import { redis } from "../src/index.ts";
import { startRedisServer } from "../src/testing.ts";
import { makeCertificate } from "./certificate.ts";
import { common, proveRules } from "./prove-rules.ts";
import { fails } from "./rules/rule.ts";

const certificate = makeCertificate();
// The user may do what the contract offers, and nothing that an administrator does.
const user = "on >guest's:password ~* &* +@all -@admin -@dangerous";
const args = ["--requirepass", "admin", "--user", "guest", ...user.split(" ")];
const server = await startRedisServer({ tls: certificate, args });
const admin = await createClient({
  url: server.url,
  password: "admin",
  socket: { tls: true, ca: certificate.ca },
}).connect();
afterAll(async () => {
  admin.destroy();
  await server[Symbol.asyncDispose]();
  certificate[Symbol.dispose]();
});

const url = server.url.replace("//", `//guest:${encodeURIComponent("guest's:password")}@`);
const tls = { ca: certificate.ca };
proveRules(
  "secure",
  () => redis({ ...common, url, tls }),
  () => admin.flushAll(),
);

test("a server whose certificate nobody trusts is UNAVAILABLE, in a sentence that says why", async () => {
  await using backend = inMemory(redis({ url }));
  const { message } = await fails(backend.client().open({}), Code.Unavailable);
  expect(message).toContain("DEPTH_ZERO_SELF_SIGNED_CERT");
  expect(message).not.toContain("password");
});
