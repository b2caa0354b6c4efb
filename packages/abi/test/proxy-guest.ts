import { readFileSync } from "node:fs";
import {
  ABI_MODULE,
  Code,
  ConnectError,
  Endpoint,
  GuestMemory,
  type AbiLimits,
  type BoundMethod,
  type Passage,
  type Pending,
  type PendingListener,
} from "../src/index.ts";
import { wat } from "@dropthrough/guest-text";

const bytes = wat(
  readFileSync(new URL("../fixtures/proxy.wat", import.meta.url), "utf8"),
  "proxy.wat",
);
const module = new WebAssembly.Module(bytes);
const { Suspending, promising } = WebAssembly as unknown as {
  Suspending: new (run: (...args: number[]) => unknown) => WebAssembly.ImportValue;
  promising: (run: unknown) => (...args: number[]) => Promise<number>;
};

/** An import as the guest calls it. */
export type Import = (...args: number[]) => number;

/** A call of `Later` that is open. */
export interface Open {
  resolve(body: Uint8Array): void;
  reject(error: ConnectError): void;
  cancelled: boolean;
}

type Body = Uint8Array | number;

/** The proxy of fixtures/proxy.wat, with the methods of fixtures/README.md behind it. */
export class ProxyGuest {
  readonly open: Open[] = [];
  readonly incidents: unknown[] = [];
  /** How often a handler was reached. */
  started = 0;
  /** Answers the method `Pass`, which another guest serves. */
  passTo: ((passage: Passage) => Body | Pending<Body>) | undefined;
  readonly endpoint: Endpoint;
  readonly #exports: WebAssembly.Exports;

  constructor(limits: AbiLimits, finished?: () => void) {
    let endpoint: Endpoint | undefined;
    const at = (): Endpoint => {
      if (endpoint === undefined) throw new Error("not attached");
      return endpoint;
    };
    const imports: Record<string, WebAssembly.ImportValue> = {
      bind: (...a: [number, number]) => at().bind(...a),
      call: (...a: [number, number, number, number, number, number]) => at().call(...a),
      read: (...a: [number, number, number, number]) => at().read(...a),
      reply: (...a: [number, number, number, number]) => at().reply(...a),
      release: (...a: [number]) => at().release(...a),
      wait: new Suspending((call = 0, ptr = 0, cap = 0) => at().wait(call, ptr, cap)),
    };
    this.#exports = new WebAssembly.Instance(module, { [ABI_MODULE]: imports }).exports;
    endpoint = this.endpoint = new Endpoint(new GuestMemory(this.memory), {
      limits,
      bind: (name) => this.#bind(name),
      incident: (error) => `incident-${this.incidents.push(error)}`,
      ...(finished && { finished }),
    });
  }

  get memory(): WebAssembly.Memory {
    return this.#exports["memory"] as WebAssembly.Memory;
  }

  get bytes(): Uint8Array {
    return new Uint8Array(this.memory.buffer);
  }

  run(name: string, args: number[]): number {
    return (this.#exports[name] as Import)(...args);
  }

  wait(args: number[]): Promise<number> {
    return promising(this.#exports["wait"])(...args);
  }

  #bind(name: string): BoundMethod<Body> {
    const method = name.replace("test.v1.TestService/", "");
    const { passTo } = this;
    if (method === "Denied") throw new ConnectError("not granted", Code.PermissionDenied);
    if (method === "Unrequired") throw new ConnectError("not required", Code.FailedPrecondition);
    const start = this.#starts[method];
    if (start === undefined) throw new ConnectError("nobody serves it", Code.NotFound);
    return {
      name,
      start: (memory, at, end) => {
        this.started++;
        return start(memory.slice(at, end));
      },
      ...(method === "Pass" && passTo && { pass: passTo }),
      write(response, memory, at, end) {
        if (typeof response === "number") return response;
        if (response.length > end - at) return -1;
        memory.set(response, at);
        return response.length;
      },
      encode: (response) => response as Uint8Array,
    };
  }

  readonly #starts: Record<
    string,
    (request: Uint8Array) => ReturnType<BoundMethod<Body>["start"]>
  > = {
    Echo: (request) => request,
    Pass: (request) => request,
    Fail: () => {
      throw new ConnectError("no", Code.NotFound);
    },
    Bug: () => {
      throw new TypeError("a bug");
    },
    Later: () => {
      const open: Open = { resolve: () => {}, reject: () => {}, cancelled: false };
      this.open.push(open);
      return {
        settle(listener: PendingListener<Body>) {
          open.resolve = (body) => listener.done(body);
          open.reject = (error) => listener.failed(error);
        },
        cancel() {
          open.cancelled = true;
        },
      };
    },
  };
}
