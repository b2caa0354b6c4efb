import { Code, ConnectError } from "@connectrpc/connect";
import { b } from "../rules/rule.ts";
import { COLLECTIONS } from "./collections.ts";
import { absent, field, list, type Row, text } from "./row.ts";
import { WRONG_TYPE } from "./wrong-type.ts";

const {
  InvalidArgument: INVALID_ARGUMENT,
  NotFound: NOT_FOUND,
  ResourceExhausted: RESOURCE_EXHAUSTED,
  PermissionDenied: PERMISSION_DENIED,
  FailedPrecondition: FAILED_PRECONDITION,
  OutOfRange: OUT_OF_RANGE,
  Unavailable: UNAVAILABLE,
  Unimplemented: UNIMPLEMENTED,
  Aborted: ABORTED,
} = Code;

/** Milliseconds from now. */
const BEYOND = 2n ** 63n - 1n;
const command = { command: { case: "get" as const, value: text } };

/** Of every Redis. */
export const ROWS: Row[] = [
  ...Object.entries(WRONG_TYPE).map(([rpc, call]): Row => [
    rpc,
    INVALID_ARGUMENT,
    "if the key holds something else",
    call,
  ]),
  ...COLLECTIONS,
  ["Open", NOT_FOUND, "for a name that there is not", async (c) => c.open({ name: "none" })],
  ["Open", INVALID_ARGUMENT, "for a URL that is none", async (c) => c.open({ url: "none" })],
  [
    "Open",
    INVALID_ARGUMENT,
    "for a URL beside a name",
    async (c) => c.open({ name: "default", url: "redis://127.0.0.1:1" }),
  ],
  [
    "Open",
    PERMISSION_DENIED,
    "for a server that the guest may not name",
    async (c) => c.open({ url: "redis://127.0.0.2:1" }),
  ],
  [
    "Open",
    UNAVAILABLE,
    "if the server cannot be reached",
    async (c) => c.open({ url: "redis://127.0.0.1:1" }),
  ],
  [
    "Open",
    RESOURCE_EXHAUSTED,
    "for the 65th connection",
    async (c) => {
      for (let i = 0; i < 65; i++) await c.open({});
    },
  ],
  ["Close", NOT_FOUND, "if it is not open", async (c) => c.close({ connectionId: "none" })],
  ["Ping", NOT_FOUND, "if the connection is not open", async (c) => c.ping({ connectionId: "no" })],
  [
    "Set",
    INVALID_ARGUMENT,
    "for an expiry of 0",
    async (c) => c.set({ ...absent, expiry: { case: "expireInMs", value: 0n } }),
  ],
  [
    "Set",
    INVALID_ARGUMENT,
    "for an expiry that ends beyond 64 bits",
    async (c) => c.set({ ...absent, expiry: { case: "expireInMs", value: BEYOND } }),
  ],
  [
    "GetExpire",
    INVALID_ARGUMENT,
    "for an expiry that ends beyond 64 bits",
    async (c) => c.getExpire({ ...text, expiry: { case: "expireInMs", value: BEYOND } }),
  ],
  [
    "GetExpire",
    INVALID_ARGUMENT,
    "for an expiry of 0",
    async (c) => c.getExpire({ ...text, expiry: { case: "expireInMs", value: 0n } }),
  ],
  [
    "CompareAndSet",
    INVALID_ARGUMENT,
    "for an expiry of 0",
    async (c) =>
      c.compareAndSet({ ...absent, value: b("v"), expiry: { case: "expireInMs", value: 0n } }),
  ],
  ["Delete", INVALID_ARGUMENT, "without a key", async (c) => c.delete({})],
  ["Exists", INVALID_ARGUMENT, "without a key", async (c) => c.exists({})],
  ["MultiGet", INVALID_ARGUMENT, "without a key", async (c) => c.multiGet({})],
  ["MultiSet", INVALID_ARGUMENT, "without a pair", async (c) => c.multiSet({})],
  [
    "Increment",
    OUT_OF_RANGE,
    "for a sum of more than 64 bits",
    async (c) => {
      const key = b("large");
      await c.set({ key, value: b("9223372036854775807") });
      await c.increment({ key });
    },
  ],
  [
    "IncrementFloat",
    INVALID_ARGUMENT,
    "for NaN",
    async (c) => c.incrementFloat({ ...absent, by: NaN }),
  ],
  [
    "HashIncrement",
    OUT_OF_RANGE,
    "for a sum of more than 64 bits",
    async (c) => {
      const key = b("large hash");
      await c.hashSet({ key, fields: [{ field, value: b("9223372036854775807") }] });
      await c.hashIncrement({ key, field });
    },
  ],
  [
    "HashIncrementFloat",
    INVALID_ARGUMENT,
    "for infinity",
    async (c) => c.hashIncrementFloat({ ...absent, field, by: Infinity }),
  ],
  [
    "Expire",
    INVALID_ARGUMENT,
    "for one that ends beyond 64 bits",
    async (c) => c.expire({ ...text, ttlMs: BEYOND }),
  ],
  ["Scan", INVALID_ARGUMENT, "for a count above 10,000", async (c) => c.scan({ count: 10_001 })],
  [
    "Scan",
    INVALID_ARGUMENT,
    "for a cursor that Scan did not answer",
    async (c) => c.scan({ cursor: b("x") }),
  ],
  [
    "Rename",
    NOT_FOUND,
    "if the key is absent",
    async (c) => c.rename({ ...absent, newKey: b("n") }),
  ],
  [
    "Pipeline",
    INVALID_ARGUMENT,
    "for an empty command",
    async (c) => c.pipeline({ commands: [{}] }),
  ],
  [
    "Pipeline",
    RESOURCE_EXHAUSTED,
    "for more than 10,000 commands",
    async (c) => c.pipeline({ commands: Array.from({ length: 10_001 }, () => command) }),
  ],
  [
    "Transaction",
    INVALID_ARGUMENT,
    "for an empty command",
    async (c) => c.transaction({ commands: [{}] }),
  ],
  [
    "Transaction",
    INVALID_ARGUMENT,
    "for a watch of another connection",
    async (c) => {
      const { connectionId } = await c.open({});
      const { watchId } = await c.watch({ connectionId, keys: [text.key] });
      await c.transaction({ commands: [command], watchId });
    },
  ],
  [
    "Transaction",
    RESOURCE_EXHAUSTED,
    "for more than 10,000 commands",
    async (c) => c.transaction({ commands: Array.from({ length: 10_001 }, () => command) }),
  ],
  [
    "Transaction",
    NOT_FOUND,
    "if the watch is not open",
    async (c) => c.transaction({ commands: [command], watchId: "none" }),
  ],
  [
    "Transaction",
    ABORTED,
    "if a watched key has changed",
    async (c) => {
      const { watchId } = await c.watch({ keys: [b("watched")] });
      await c.set({ key: b("watched"), value: b("v") });
      await c.transaction({ commands: [command], watchId });
    },
  ],
  ["Watch", INVALID_ARGUMENT, "without a key", async (c) => c.watch({})],
  [
    "Watch",
    RESOURCE_EXHAUSTED,
    "for the 17th watch",
    async (c) => {
      for (let i = 0; i < 17; i++) await c.watch({ keys: [text.key] });
    },
  ],
  ["Unwatch", NOT_FOUND, "if it is not open", async (c) => c.unwatch({ watchId: "none" })],
  [
    "Eval",
    NOT_FOUND,
    "for a name that there is not",
    async (c) => c.eval({ script: { case: "name", value: "none" } }),
  ],
  [
    "Execute",
    PERMISSION_DENIED,
    "for a command that is not listed",
    async (c) => c.execute({ command: "OBJECT" }),
  ],
  [
    "Execute",
    INVALID_ARGUMENT,
    "for a name that is none",
    async (c) => c.execute({ command: "GET\r\n" }),
  ],
  ["Subscribe", INVALID_ARGUMENT, "without a channel", async (c) => c.subscribe({})],
  [
    "Subscribe",
    INVALID_ARGUMENT,
    "for a channel that is not UTF-8",
    async (c) => c.subscribe({ channels: [Uint8Array.of(0xff)] }),
  ],
  [
    "Subscribe",
    INVALID_ARGUMENT,
    "with a buffer above 65,536",
    async (c) => c.subscribe({ channels: [b("c")], buffer: 65_537 }),
  ],
  [
    "Subscribe",
    RESOURCE_EXHAUSTED,
    "for the 65th subscription",
    async (c) => {
      for (let i = 0; i < 65; i++) await c.subscribe({ channels: [b("c")] });
    },
  ],
  ["Poll", NOT_FOUND, "if it is not open", async (c) => c.poll({ subscriptionId: "none" })],
  [
    "Poll",
    INVALID_ARGUMENT,
    "for a limit that is too high",
    async (c) => {
      const { subscriptionId } = await c.subscribe({ channels: [b("c")] });
      await c.poll({ subscriptionId, waitMs: 60_001 });
    },
  ],
  [
    "Poll",
    FAILED_PRECONDITION,
    "if another poll is waiting",
    async (c) => {
      const { subscriptionId } = await c.subscribe({ channels: [b("c")] });
      const first = c.poll({ subscriptionId, waitMs: 1_000 });
      try {
        await c.poll({ subscriptionId, waitMs: 1_000 });
      } finally {
        await first;
      }
    },
  ],
  [
    "Unsubscribe",
    NOT_FOUND,
    "if it is not open",
    async (c) => c.unsubscribe({ subscriptionId: "none" }),
  ],
];

/** What only one of the two can answer. */
export const OF_A_SERVER: Row[] = [
  [
    "Eval",
    INVALID_ARGUMENT,
    "for a script that fails",
    async (c) => c.eval({ script: { case: "source", value: "nonsense(" } }),
  ],
];
export const OF_THE_ENGINE: Row[] = [
  [
    "Eval",
    UNIMPLEMENTED,
    "in the embedded engine",
    async (c) => c.eval({ script: { case: "source", value: "return 1" } }),
  ],
];
/** With keys of the guest's own. */
export const ISOLATED: Row[] = [
  [
    "Eval",
    PERMISSION_DENIED,
    "for a script of the guest's own",
    async (c) => c.eval({ script: { case: "source", value: "return 1" } }),
  ],
  [
    "Execute",
    FAILED_PRECONDITION,
    "where nobody knows which arguments are keys",
    async (c) => c.execute({ command: "SORT_RO", arguments: [list.key] }),
  ],
];
/** Of a server that is not there. */
export const AWAY: Row[] = [
  [
    "Pipeline",
    UNAVAILABLE,
    "of each command, if the server cannot be reached",
    async (c) => {
      const { results } = await c.pipeline({ commands: [command] });
      for (const { result } of results)
        if (result.case === "failure")
          throw new ConnectError(result.value.message, result.value.code);
    },
  ],
  [
    "Subscribe",
    UNAVAILABLE,
    "if the server cannot be reached",
    async (c) => c.subscribe({ channels: [b("c")] }),
  ],
];
/** Of a server that closes its connections when it is asked for a sign of life, and then refuses to be listened to. */
export const SHUT: Row[] = [
  [
    "Poll",
    PERMISSION_DENIED,
    "once the server refuses one of the channels",
    async (c) => {
      const { subscriptionId } = await c.subscribe({ channels: [b("c")] });
      await c.ping({}).catch(() => {});
      await c.poll({ subscriptionId, waitMs: 20_000 });
    },
  ],
];
