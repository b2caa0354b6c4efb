import { create, toBinary, fromBinary } from "@bufbuild/protobuf";
import type { DescMessage, MessageInitShape, MessageShape } from "@bufbuild/protobuf";

/** What a fake method answers: a response, or a failure with its encoded Status. */
export type Answer = Uint8Array | Failure;

/** A failed call. */
export interface Failure {
  readonly code: number;
  readonly status: Uint8Array;
}

/** A fake method of the host; a promise makes the call pending. */
export type FakeMethod = (request: Uint8Array) => Answer | Promise<Answer>;

/** JSPI, which the types do not know yet. */
interface Jspi {
  readonly Suspending: new (f: (...args: number[]) => Promise<number>) => WebAssembly.ImportValue;
  promising(f: WebAssembly.ExportValue): (...args: number[]) => Promise<unknown>;
}

/** The guest asked to end. */
export class GuestExit extends Error {
  override name = "GuestExit";
}

const PARKED = 1;
const PENDING = 2;

function isJspi(value: object): value is Jspi {
  return "Suspending" in value && "promising" in value;
}

function jspi(): Jspi {
  const all: object = WebAssembly;
  if (!isJspi(all)) throw new Error("these tests need a Node with JSPI: 24.20 or newer");
  return all;
}

/** A failure whose Status has a code and a message. */
export function failure(code: number, message: string): Failure {
  const text = new TextEncoder().encode(message);
  return { code, status: Uint8Array.of(8, code, 0x12, text.length, ...text) };
}

/**
 * The six imports of the ABI in plain JavaScript, with knobs for what a host may do. A fixture of these tests: it
 * checks nothing of what a real host has to check.
 */
export class PlainHost {
  readonly methods = new Map<string, FakeMethod>();
  /** What `bind` answers instead of a number. */
  readonly refused = new Map<string, number>();
  /** Every import call but `bind`, as text. */
  readonly log: string[] = [];
  readonly bound: string[] = [];
  /** Bodies and pending calls that the guest has not released. */
  readonly open = new Map<number, Answer | Promise<Answer>>();
  /** Whether a body that does not fit is kept. */
  roomForBodies = true;
  /** The largest reply taken, in bytes. */
  largestReply = 4 << 20;
  #next = 1;
  #exports: WebAssembly.Exports = {};
  #incoming: { request: Uint8Array; answer: Answer | undefined } | undefined;

  get memory(): Uint8Array {
    const memory = this.#exports["memory"];
    if (!(memory instanceof WebAssembly.Memory)) throw new Error("no memory");
    return new Uint8Array(memory.buffer);
  }

  /** A method with typed messages. */
  typed<I extends DescMessage, O extends DescMessage>(
    name: string,
    input: I,
    output: O,
    run: (request: MessageShape<I>) => MessageInitShape<O> | Promise<MessageInitShape<O>>,
  ): void {
    this.methods.set(name, (bytes) => {
      const response = run(fromBinary(input, bytes));
      const encode = (init: MessageInitShape<O>): Uint8Array =>
        toBinary(output, create(output, init));
      return response instanceof Promise ? response.then(encode) : encode(response);
    });
  }

  /** Answers the kernel calls of a start with empty responses; Launch takes its time. */
  acceptKernelCalls(): void {
    const kernel = "dropthrough.kernel.v1.KernelService";
    for (const name of ["Register", "Export", "Require"]) {
      this.methods.set(`${kernel}/${name}`, () => new Uint8Array());
    }
    this.methods.set(`${kernel}/Launch`, async () => new Uint8Array());
  }

  /** Instantiates a guest and runs its start function. */
  async start(module: WebAssembly.Module): Promise<void> {
    const { Suspending } = jspi();
    const instance = await WebAssembly.instantiate(module, {
      dropthrough_v1: {
        bind: this.#bind,
        call: this.#call,
        wait: new Suspending(this.#wait),
        read: this.#read,
        reply: this.#reply,
        release: this.#release,
      },
    });
    this.#exports = instance.exports;
    await this.#run(instance.exports["_initialize"] ?? instance.exports["_start"], []);
  }

  /** Has the guest answer a call of one of its own methods. */
  async serve(name: string, request: Uint8Array): Promise<Answer> {
    return this.serveNumber(this.bound.indexOf(name), request);
  }

  /** The same by number. */
  async serveNumber(method: number, request: Uint8Array): Promise<Answer> {
    const incoming = { request, answer: undefined };
    this.#incoming = incoming;
    await this.#run(this.#exports["dropthrough_v1_serve"], [0xff_fffe, method, request.length]);
    this.#incoming = undefined;
    const { answer }: { answer: Answer | undefined } = incoming;
    if (answer === undefined) throw new Error("the guest did not reply");
    return answer;
  }

  /** Gives the guest a call that it has asked for; it is number 0xff_fffe. */
  give(request: Uint8Array): void {
    this.#incoming = { request, answer: undefined };
  }

  /** What it replied to that. */
  taken(): Answer | undefined {
    const answer = this.#incoming?.answer;
    this.#incoming = undefined;
    return answer;
  }

  /** What the guest wrote before it aborted. */
  abortMessage(): string {
    const at = (name: string): number => {
      const global = this.#exports[name];
      return global instanceof WebAssembly.Global ? Number(global.value) : 0;
    };
    const start = at("dropthrough_v1_abort_ptr");
    return this.#text(start, at("dropthrough_v1_abort_len"));
  }

  async #run(entry: WebAssembly.ExportValue | undefined, args: number[]): Promise<void> {
    if (entry === undefined) throw new Error("no such export");
    await jspi().promising(entry)(...args);
  }

  #text(ptr: number, length: number): string {
    return new TextDecoder().decode(this.memory.slice(ptr, ptr + length));
  }

  readonly #bind = (ptr: number, length: number): number => {
    const name = this.#text(ptr, length);
    const code = this.refused.get(name);
    if (code !== undefined) return -code;
    return this.bound.push(name) - 1;
  };

  readonly #call = (
    method: number,
    ptr: number,
    length: number,
    to: number,
    capacity: number,
    timeoutMs: number,
  ): number => {
    const name = this.bound[method] ?? "";
    this.log.push(`call ${name} ${length}${timeoutMs === 0 ? "" : ` in ${timeoutMs} ms`}`);
    const run = this.methods.get(name);
    const answer = run?.(this.memory.slice(ptr, ptr + length)) ?? failure(5, "no such method");
    if (answer instanceof Promise) {
      const call = this.#next++;
      this.open.set(call, answer);
      return ~(call | (PENDING << 24));
    }
    return this.#deliver(answer, undefined, to, capacity);
  };

  readonly #wait = async (call: number, to: number, capacity: number): Promise<number> => {
    const answer = await this.open.get(call);
    this.log.push(`wait ${call}`);
    if (answer === undefined) throw new Error("waits for what is not pending");
    return this.#deliver(answer, call, to, capacity);
  };

  #deliver(answer: Answer, call: number | undefined, to: number, capacity: number): number {
    const code = answer instanceof Uint8Array ? 0 : answer.code;
    if (answer instanceof Uint8Array && answer.length <= capacity) {
      this.memory.set(answer, to);
      if (call !== undefined) this.open.delete(call);
      return answer.length;
    }
    const number = this.roomForBodies ? (call ?? this.#next++) : 0;
    if (number > 0) this.open.set(number, answer);
    return ~(number | (PARKED << 24) | (code << 26));
  }

  readonly #read = (call: number, offset: number, to: number, length: number): number => {
    const answer = this.open.get(call);
    const parked =
      answer instanceof Uint8Array || answer instanceof Promise ? answer : answer?.status;
    const body = call === 0xff_fffe ? this.#incoming?.request : parked;
    if (!(body instanceof Uint8Array)) return -5;
    this.log.push(`read ${call === 0xff_fffe ? "request" : call} ${length}`);
    this.memory.set(body.subarray(offset, offset + length), to);
    return body.length;
  };

  readonly #reply = (call: number, code: number, ptr: number, length: number): number => {
    if (this.#incoming === undefined || call !== 0xff_fffe) return -5;
    if (length > this.largestReply) return -8;
    const bytes = this.memory.slice(ptr, ptr + length);
    this.#incoming.answer = code === 0 ? bytes : { code, status: bytes };
    return 0;
  };

  readonly #release = (call: number): number => {
    this.log.push(`release ${call}`);
    return this.open.delete(call) ? 0 : -5;
  };
}
