import { Code, ConnectError } from "@connectrpc/connect";
import { inMemory } from "@dropthrough/dispatch/testing";
import { expect, test } from "vitest";
import { redis } from "../src/index.ts";
import { startRedisServer } from "../src/testing.ts";
import { b, t } from "./rules/rule.ts";

const OUTAGES = 20;
const CALLERS = 32;
const DEADLINE_MS = 2_000;
/** What may come of a call while its server comes and goes. */
const ALLOWED = [Code.Unavailable, Code.DeadlineExceeded];

test(`${OUTAGES} times the server is killed under load: each call has one answer, and what was acknowledged is there`, async () => {
  const args = ["--appendonly", "yes", "--appendfsync", "always"];
  await using server = await startRedisServer({ args });
  await using backend = inMemory(redis({ url: server.url }));
  const over = new AbortController();
  let calls = 0;
  let answers = 0;
  let slowest = 0;
  const refused = new Map<string, number>();
  const acknowledged = new Map<string, string>();
  const counters = Array.from({ length: CALLERS }, () => ({ acknowledged: 0n, sent: 0n }));

  const caller = async (index: number): Promise<void> => {
    const client = backend.client(`guest${index}`);
    const options = { timeoutMs: DEADLINE_MS };
    const { connectionId } = await client.open({});
    const counter = counters[index] ?? { acknowledged: 0n, sent: 0n };
    for (let n = 0; !over.signal.aborted; n++) {
      const key = `${index}:${n}`;
      calls += 2;
      counter.sent++;
      const asked = performance.now();
      const [set, increment] = await Promise.allSettled([
        client.set({ connectionId, key: b(key), value: b(`value of ${key}`) }, options),
        client.increment({ connectionId, key: b(`count${index}`) }, options),
      ]);
      answers += 2;
      slowest = Math.max(slowest, performance.now() - asked);
      if (set.status === "fulfilled") acknowledged.set(key, `value of ${key}`);
      if (increment.status === "fulfilled") counter.acknowledged++;
      for (const answer of [set, increment]) {
        if (answer.status === "fulfilled") continue;
        const code = Code[ConnectError.from(answer.reason).code];
        refused.set(code, (refused.get(code) ?? 0) + 1);
      }
      // A guest that is told to try again waits a little.
      if (set.status === "rejected") await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  const callers = Promise.all(Array.from({ length: CALLERS }, (_, index) => caller(index)));
  for (let outage = 0; outage < OUTAGES; outage++) {
    const before = acknowledged.size;
    await expect.poll(() => acknowledged.size).toBeGreaterThan(before + 100);
    await server.restart();
  }
  // The last outage is over as well: what comes now reads from a server that is reached.
  const last = acknowledged.size;
  await expect.poll(() => acknowledged.size).toBeGreaterThan(last);
  over.abort();
  await callers;

  expect(answers).toBe(calls);
  // No call outlives its deadline by more than a busy machine takes to notice.
  expect(slowest).toBeLessThan(DEADLINE_MS + 1_000);
  expect([...refused.keys()].filter((code) => !ALLOWED.map((c) => Code[c]).includes(code))).toEqual(
    [],
  );
  expect(refused.get("Unavailable")).toBeGreaterThan(0);
  const client = backend.client("reader");
  const { connectionId } = await client.open({});
  const missing = [];
  for (const [key, value] of acknowledged) {
    const found = await client.get({ connectionId, key: b(key) });
    if (t(found.value) !== value) missing.push(key);
  }
  expect(missing).toEqual([]);
  // Nothing was sent twice: a counter lies between what was acknowledged and what was sent.
  for (const [index, { acknowledged: least, sent }] of counters.entries()) {
    const { value } = await client.get({ connectionId, key: b(`count${index}`) });
    const count = BigInt(t(value) ?? "0");
    expect(count).toBeGreaterThanOrEqual(least);
    expect(count).toBeLessThanOrEqual(sent);
  }
});
