import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { create, createRegistry, fromBinary, toBinary } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { StockRequestSchema, StockResponseSchema } from "./gen/kitchen/v1/kitchen_pb.ts";
import { startGuest } from "./guests.ts";
import type { Answer } from "./plain-host.ts";
import { failure } from "./plain-host.ts";
import { RetryInfoSchema, StatusSchema } from "./gen/dropthrough/abi/v1/status_pb.ts";

const KITCHEN = "kitchen.v1.KitchenService";
const soup = toBinary(StockRequestSchema, create(StockRequestSchema, { key: "soup" }));

function text(answer: Answer): string {
  return new TextDecoder().decode(answer instanceof Uint8Array ? answer : answer.status);
}

test("a request that cannot be decoded is INVALID_ARGUMENT and the handler is not asked", async () => {
  const host = await startGuest("kitchen");
  const answer = await host.serve(`${KITCHEN}/Restock`, Uint8Array.of(0xff));
  expect(answer).toMatchObject({ code: 3 });
  expect(text(answer)).toContain("the request is not a kitchen.v1.StockRequest");
});

test.each([999, -1, 2 ** 31 - 1])(
  "method number %i, which nobody bound, is UNIMPLEMENTED",
  async (number) => {
    const host = await startGuest("kitchen");
    expect(await host.serveNumber(number, soup)).toMatchObject({ code: 12 });
  },
);

test("a number that the guest bound to call, not to serve, is UNIMPLEMENTED", async () => {
  const host = await startGuest("kitchen");
  const number = host.bound.indexOf("dropthrough.kernel.v1.KernelService/Register");
  expect(await host.serveNumber(number, soup)).toMatchObject({ code: 12 });
});

test("a failure of the handler is answered with code, message and details", async () => {
  const host = await startGuest("kitchen");
  const answer = await host.serve(`${KITCHEN}/Burn`, soup);
  if (answer instanceof Uint8Array) throw new Error("it should have failed");
  const status = fromBinary(StatusSchema, answer.status);
  expect([answer.code, status.code, status.message]).toEqual([14, 14, "burnt: soup"]);
  const details = status.details.map((any) => anyUnpack(any, createRegistry(RetryInfoSchema)));
  expect(details).toEqual([create(RetryInfoSchema, { retryDelay: { seconds: 3n } })]);
});

test("a hook that works on bytes answers the very bytes", async () => {
  const host = await startGuest("kitchen");
  // Not a message at all: nobody looks.
  expect(await host.serve(`${KITCHEN}/Carry`, Uint8Array.of(0xff, 0xff))).toEqual(
    Uint8Array.of(0xff, 0xff),
  );
});

test("a request of 2 MiB arrives whole and its response goes out whole", async () => {
  const host = await startGuest("kitchen");
  const bytes = new Uint8Array(2 << 20).map((_, at) => at % 251);
  expect(await host.serve(`${KITCHEN}/Carry`, bytes)).toEqual(bytes);
});

test("a response that the host finds too large is RESOURCE_EXHAUSTED", async () => {
  const host = await startGuest("kitchen");
  host.largestReply = 1000;
  const answer = await host.serve(`${KITCHEN}/Carry`, new Uint8Array(2000));
  expect(answer).toMatchObject({ code: 8 });
  expect(text(answer)).toContain("the response of 2000 bytes is larger than the host takes");
});

test("a service that is passed through forwards requests, responses and failures byte for byte", async () => {
  const host = await startGuest("pantry");
  const seen: Uint8Array[] = [];
  let answer: Answer = Uint8Array.of(0xff, 1, 2);
  host.methods.set("kitchen.v1.StoreService/Get", (request) => {
    seen.push(request);
    return Promise.resolve(answer);
  });
  const mirror = "pantry.v1.MirrorService/Get";
  expect(await host.serve(mirror, Uint8Array.of(9, 9))).toEqual(answer);
  answer = new Uint8Array(50_000).fill(7);
  expect(await host.serve(mirror, Uint8Array.of(8))).toEqual(answer);
  answer = failure(5, "no such key");
  expect(await host.serve(mirror, new Uint8Array())).toEqual(answer);
  expect(seen).toEqual([Uint8Array.of(9, 9), Uint8Array.of(8), new Uint8Array()]);
});

test("a bug in a handler traps, and the message stands where the host finds it", async () => {
  const host = await startGuest("kitchen");
  expect(host.abortMessage()).toBe("");
  await expect(host.serve(`${KITCHEN}/Drop`, soup)).rejects.toThrow(WebAssembly.RuntimeError);
  expect(host.abortMessage()).toMatch(/^dropped: soup at test\/assembly\/kitchen\.ts:\d+:\d+$/);
});

test("the message of an abort is cut to 512 bytes of UTF-8 and keeps its place", async () => {
  const host = await startGuest("kitchen");
  const key = "ü💧".repeat(400);
  const request = toBinary(StockRequestSchema, create(StockRequestSchema, { key }));
  await expect(host.serve(`${KITCHEN}/Drop`, request)).rejects.toThrow(WebAssembly.RuntimeError);
  const message = host.abortMessage();
  expect(new TextEncoder().encode(message).length).toBeLessThanOrEqual(512);
  expect(message).toMatch(/^dropped: (ü💧)+ü? at test\/assembly\/kitchen\.ts:\d+:\d+$/);
});

test("a nested call's answer does not disturb the request that is being answered", async () => {
  const host = await startGuest("kitchen");
  host.typed("kitchen.v1.StoreService/Get", StockRequestSchema, StockResponseSchema, async () => ({
    value: "x".repeat(20_000),
  }));
  const answer = await host.serve(`${KITCHEN}/Restock`, soup);
  if (!(answer instanceof Uint8Array)) throw new Error(text(answer));
  const { value } = fromBinary(StockResponseSchema, answer);
  expect(value.startsWith("soup xxx")).toBe(true);
  expect(value.length).toBe(4 + 1 + 20_000 + 1 + 20_000);
});
