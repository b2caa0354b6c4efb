import type { MessageInitShape } from "@bufbuild/protobuf";
import { fromBinary } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import {
  AtExitRequestSchema,
  AtExitResponseSchema,
  EnvironmentRequestSchema,
  EnvironmentResponseSchema,
  ExitRequestSchema,
  NowRequestSchema,
  NowResponseSchema,
  RandomRequestSchema,
  RandomResponseSchema,
  ReceiveRequestSchema,
  ReceiveResponseSchema,
} from "./gen/dropthrough/kernel/v1/kernel_pb.ts";
import { guestModule } from "./guests.ts";
import { failure, GuestExit, PlainHost } from "./plain-host.ts";

const KERNEL = "dropthrough.kernel.v1.KernelService";
type Event = MessageInitShape<typeof ReceiveResponseSchema>["event"];

/** A host with a kernel whose Receive answers the events of a list, the calls among them with a request each. */
class WorkerHost extends PlainHost {
  readonly notes: string[] = [];
  readonly timeouts: (number | undefined)[] = [];
  readonly exits: [code: number, reason: string][] = [];
  readonly replies: string[] = [];

  constructor(events: (string | Event)[], variables: Record<string, string>) {
    super();
    this.acceptKernelCalls();
    this.methods.set("test.v1.NoteService/Note", (bytes) => {
      this.notes.push(new TextDecoder().decode(bytes));
      return new Uint8Array();
    });
    this.typed(
      `${KERNEL}/Environment`,
      EnvironmentRequestSchema,
      EnvironmentResponseSchema,
      () => ({
        variables,
      }),
    );
    this.typed(`${KERNEL}/Now`, NowRequestSchema, NowResponseSchema, () => ({
      time: { seconds: 1_700_000_000n, nanos: 5 },
      monotonicNs: 2n ** 40n,
    }));
    this.typed(`${KERNEL}/Random`, RandomRequestSchema, RandomResponseSchema, ({ length }) => ({
      random: new Uint8Array(length).fill(7),
    }));
    this.methods.set(`${KERNEL}/AtExit`, () => failure(9, "this is a command"));
    this.typed(
      `${KERNEL}/Receive`,
      ReceiveRequestSchema,
      ReceiveResponseSchema,
      async ({ timeoutMs }) => {
        this.timeouts.push(timeoutMs);
        this.#takeReply();
        const event = events.shift();
        if (typeof event !== "string") return { event: event ?? ({ case: undefined } as const) };
        const request = new TextEncoder().encode(event);
        this.give(request);
        const method = this.bound.indexOf("test.v1.EchoService/Echo");
        const value = { call: 0xff_fffe, method, length: request.length };
        return { event: { case: "incoming" as const, value } };
      },
    );
    this.methods.set(`${KERNEL}/Exit`, (bytes) => {
      this.#takeReply();
      const { code, reason } = fromBinary(ExitRequestSchema, bytes);
      this.exits.push([code, reason]);
      throw new GuestExit();
    });
  }

  #takeReply(): void {
    const reply = this.taken();
    if (reply instanceof Uint8Array) this.replies.push(new TextDecoder().decode(reply));
  }
}

const exit: Event = { case: "exit", value: { code: 6, reason: "the operator", graceMs: 10 } };

test("a guest asks for its calls, answers them by its services, and exits when it is to, its hooks in reverse order", async () => {
  const host = new WorkerHost([{ case: "timeout", value: {} }, "one", "two", "three", exit], {
    TZ: "UTC",
    LANG: "",
  });
  await expect(host.start(await guestModule("worker"))).rejects.toThrow(GuestExit);
  expect(host.notes).toEqual([
    "zone UTC of 2",
    "time 1700000000 5 1099511627776",
    "random 70000 7,7,7",
    "timeout",
    "last registered, first done",
    "first registered, last done",
  ]);
  expect(host.timeouts).toEqual([250, 0, undefined, undefined, undefined]);
  expect(host.replies).toEqual(["one", "two", "three"]);
  expect(host.exits).toEqual([[6, "the operator"]]);
});

test("a command whose main returns has done what it registered for its exit", async () => {
  const host = new WorkerHost([{ case: "timeout", value: {} }, "one"], { TZ: "leave" });
  await host.start(await guestModule("worker"));
  expect(host.notes.slice(-2)).toEqual([
    "last registered, first done",
    "first registered, last done",
  ]);
  expect(host.exits).toEqual([]);
});

test("a kernel that refuses Receive ends the loop with 1 and its reason", async () => {
  const host = new WorkerHost([], {});
  host.methods.set(`${KERNEL}/Receive`, () => failure(9, "no"));
  await expect(host.start(await guestModule("worker"))).rejects.toThrow(GuestExit);
  expect(host.exits).toEqual([[1, "FAILED_PRECONDITION: no"]]);
});

test("a guest that serves is called before its end, once, and replies", async () => {
  const host = new WorkerHost([], {});
  let asked = 0;
  host.typed(`${KERNEL}/AtExit`, AtExitRequestSchema, AtExitResponseSchema, () => {
    asked++;
    return { method: 77 };
  });
  await host.start(await guestModule("keeper"));
  expect([asked, host.notes]).toEqual([1, []]);
  expect(await host.serveNumber(77, Uint8Array.of(8, 5))).toEqual(new Uint8Array());
  expect(host.notes).toEqual(["keeping", "kept"]);
  expect(await host.serveNumber(77, new Uint8Array())).toEqual(new Uint8Array());
  expect(host.notes).toHaveLength(2);
});
