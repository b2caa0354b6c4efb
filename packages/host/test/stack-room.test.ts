import { Code, ConnectError, createClient } from "@connectrpc/connect";
import {
  type CallRecord,
  defineBackend,
  type Directory,
  type Incident,
} from "@dropthrough/dispatch";
import { GuestText } from "@dropthrough/guest-text";
import { describe, expect, test } from "vitest";
import type { Host } from "../src/index.ts";
import { ECHO, echoRequest, FACADE, renamed } from "./control.ts";
import { facade, facadeService, passThrough, say, start } from "./deployment.ts";

const walkerService = renamed("test.v1.WalkerService");
const WALKER = walkerService.typeName;

/** Exports a service, serves it by `body`, and never waits: it runs on the host's stack. */
function sharing(
  service: string,
  body: (g: GuestText) => string,
  more = "",
): Uint8Array<ArrayBuffer> {
  const g = new GuestText();
  return g.module(
    `(func (export "_initialize")
      ${say(g, `export ${service}`)}
      (drop ${g.bind(`${service}/Echo`)})
      ${say(g, `require ${FACADE}`)}
      ${say(g, "launch")})
    (func (export "dropthrough_v1_serve") (param $call i32) (param $method i32) (param $len i32) (local $w i32)
      ${body(g)})
    ${more
      .replaceAll("$echo", g.bind(ECHO))
      .replaceAll("$facade", g.bind(`${FACADE}/Echo`))
      .replaceAll("$request", g.data(echoRequest("hi")))}`,
    { waits: false },
  );
}

/** Calls itself as often as its request says, then somebody: nobody, the echo backend or the facade. */
const walker = sharing(
  WALKER,
  () => `
    (drop (call $read (local.get $call) (i32.const 0) (i32.const 4096) (local.get $len)))
    (local.set $w (call $walk (i32.load (i32.const 4098)) (i32.load (i32.const 4102))))
    (if (i32.lt_s (local.get $w) (i32.const 0))
      (then (drop (call $reply (local.get $call) (call $code (local.get $w)) (i32.const 0) (i32.const 0))))
      (else (drop (call $reply (local.get $call) (i32.const 0) (i32.const 0) (i32.const 0)))))`,
  `(func $walk (param $deep i32) (param $whom i32) (result i32)
    (if (result i32) (local.get $deep)
      (then (i32.or (i32.and (local.get $deep) (i32.const 0))
        (call $walk (i32.sub (local.get $deep) (i32.const 1)) (local.get $whom))))
      (else (if (result i32) (i32.eqz (local.get $whom)) (then (i32.const 0))
        (else (call $call
          (if (result i32) (i32.eq (local.get $whom) (i32.const 1)) (then $echo) (else $facade))
          $request (i32.const 8192) (i32.const 4096) (i32.const 0)))))))`,
);

/** What an observer that prints does: it needs some of the stack. */
function deep(calls: number): number {
  return calls === 0 ? 0 : 1 + deep(calls - 1);
}

/** A host with the walker and a facade, and what is open in it. */
class Walk implements AsyncDisposable {
  readonly open = new Set<number>();
  readonly incidents: Incident[] = [];
  /** How guests other than the walker have ended. */
  readonly ends: string[] = [];
  readonly host: Host;
  #directory: Directory | undefined;

  constructor(module: Uint8Array<ArrayBuffer>) {
    const spy = defineBackend({
      name: "spy",
      service: renamed("test.v1.SpyService"),
      impl: {},
      attach: (directory) => void (this.#directory = directory),
    });
    this.host = start(
      [
        { name: "facade", module, exports: [FACADE] },
        { name: "walker", module: walker, exports: [WALKER] },
      ],
      {
        backends: [spy],
        limits: { restarts: 1e9 },
        observers: [
          {
            started: ({ id }: CallRecord) => void this.open.add(id),
            ended: ({ id }: CallRecord) => {
              deep(20);
              this.open.delete(id);
            },
          },
        ],
        onIncident: (incident) => void this.incidents.push(incident),
        onExit: ({ guest, reason }) => {
          if (guest !== "walker") this.ends.push(`${guest}: ${reason}`);
        },
      },
    );
  }

  /** Lets the walker go so deep, and call: 0 if all was well, or the code. */
  async go(depth: number, whom: 0 | 1 | 2): Promise<Code | 0> {
    const payload = new Uint8Array(Uint32Array.of(depth, whom).buffer);
    return createClient(walkerService, this.host.transport)
      .echo({ payload })
      .then(
        () => 0,
        (error: unknown) => ConnectError.from(error).code,
      );
  }

  /** The deepest that it can go. */
  async deepest(whom: 0 | 1 | 2): Promise<number> {
    let [well, ill] = [0, 1_000_000];
    while (ill - well > 1) {
      const middle = (well + ill) >> 1;
      if ((await this.go(middle, whom)) === 0) well = middle;
      else ill = middle;
    }
    return well;
  }

  /** Calls that some guest is answering. */
  get inFlight(): number {
    const guests = (this.#directory?.guests() ?? []) as readonly { readonly inFlight?: number }[];
    return guests.reduce((sum, guest) => sum + (guest.inFlight ?? NaN), 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.host[Symbol.asyncDispose]();
  }
}

describe.each([
  ["the host itself", 1, sharing(FACADE, passThrough)],
  ["a guest that shares the stack", 2, sharing(FACADE, passThrough)],
  ["a guest that has a stack of its own", 2, facade(passThrough)],
] as const)("a guest that has used up the host's stack and calls %s", (_, whom, facadeModule) => {
  test("leaves nothing half done, at whatever depth", async () => {
    await using walk = new Walk(facadeModule);
    await walk.host.start();
    // The engine compiles what runs often anew, with other frames: from here on they stay as they are.
    for (let i = 0; i < 200; i++) await walk.go(5_000, whom);
    const [deepest, called] = [await walk.deepest(0), await walk.deepest(whom)];
    expect(called).toBeLessThan(deepest);
    const codes = new Set<Code | 0>();
    const near = (depth: number): boolean => depth < called + 20 || depth > deepest - 40;
    for (let depth = called - 20; depth < deepest + 20; depth += near(depth) ? 1 : 7) {
      codes.add(await walk.go(depth, whom));
      expect([depth, walk.open.size, walk.inFlight]).toEqual([depth, 0, 0]);
    }
    expect(walk.incidents).toEqual([]);
    expect(walk.ends).toEqual([]);
    expect(codes).toEqual(
      new Set([0, Code.Aborted, ...(whom === 2 ? [Code.ResourceExhausted] : [])]),
    );
    // Others go on.
    const client = createClient(facadeService, walk.host.transport);
    const payload = Buffer.from("hi");
    expect(Buffer.from((await client.echo({ payload })).payload)).toEqual(payload);
    expect(await walk.go(10, whom)).toBe(0);
  });
});
