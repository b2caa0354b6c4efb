import type { DescMethodUnary, Message, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import {
  type CallOptions as ConnectCallOptions,
  Code,
  ConnectError,
  type ContextValues,
} from "@connectrpc/connect";
import { type BoundMethod, isPending, type Pending } from "@dropthrough/abi";
import { type Codec, codecOf, fillBytes } from "@dropthrough/codec";
import { answerOf } from "./answer.ts";
import { bindMethod, type Opener } from "./binding.ts";
import { Call } from "./call.ts";
import type { Caller } from "./caller.ts";
import { type Dispatch, tell } from "./call-outcome.ts";
import { run } from "./dispatch.ts";
import { type Grants, splitMethodName } from "./grants.ts";
import { type Answer, type Interceptor, Response } from "./interceptor.ts";
import { type Method } from "./method.ts";

/** What a session shares with its registry. */
export interface SessionCore extends Dispatch {
  readonly interceptors: readonly Interceptor[];
  nextId(): number;
  find(name: string): Method | undefined;
}

/** How one call of a program is made. */
export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  /** In milliseconds, above 0; left out for the default. */
  readonly timeoutMs?: number | undefined;
  readonly header?: ConnectCallOptions["headers"];
  readonly values?: ContextValues | undefined;
}

/** Who answers a method, and how. */
interface Callee {
  readonly method: Method;
  readonly input: Codec;
  readonly answer: Answer;
}

/** The calls of one caller through a registry. */
export class Session implements Opener {
  readonly caller: Caller;
  /** The call that the caller is answering now: the parent of the calls it makes. Set by the host. */
  current: Call | undefined;
  readonly #core: SessionCore;
  readonly #grants: Grants | undefined;
  readonly #callees = new Map<DescMethodUnary, Callee>();

  /** @param grants what the caller may reach; everything, if left out */
  constructor(core: SessionCore, caller: Caller, grants?: Grants) {
    this.#core = core;
    this.caller = caller;
    this.#grants = grants;
  }

  /**
   * Resolves `package.Service/Method` for a guest.
   *
   * @throws ConnectError INVALID_ARGUMENT if the name has another shape; PERMISSION_DENIED if it was not granted;
   *   NOT_FOUND if nobody has such a method; FAILED_PRECONDITION if it is another guest's and was not required
   */
  bind(name: string): BoundMethod {
    try {
      const parts = splitMethodName(name);
      if (parts === undefined) {
        throw new ConnectError(
          `"${name}" is no method name: write package.Service/Method`,
          Code.InvalidArgument,
        );
      }
      const { caller } = this;
      const own = caller.guest?.exported.has(parts.service) ?? false;
      if (!own) this.#checkGrant(name);
      const method = this.#core.find(name);
      if (method === undefined) throw new ConnectError(`nobody serves ${name}`, Code.NotFound);
      if (
        !own &&
        method.entry.kind === "guest" &&
        caller.guest?.required.has(parts.service) === false
      ) {
        throw new ConnectError(
          `${caller.name} has not required ${parts.service}, which ${method.entry.name} exports: require it and launch before binding its methods`,
          Code.FailedPrecondition,
        );
      }
      const bound = bindMethod(method, this.#core, this.#core.interceptors, this);
      return this.#grants?.allow(name) === false ? servedOnly(bound, caller.name) : bound;
    } catch (error) {
      if (error instanceof ConnectError) this.#tellRefused(name, error);
      throw error;
    }
  }

  #checkGrant(name: string): void {
    if (this.#grants?.allow(name) !== false) return;
    const { name: caller } = this.caller;
    throw new ConnectError(
      `${caller} was not granted ${name}: add it to the grants of ${caller}`,
      Code.PermissionDenied,
    );
  }

  #tellRefused(name: string, error: ConnectError): void {
    tell(this.#core, undefined, (observer) => observer.refused?.(this.caller, name, error));
  }

  /**
   * Makes one call, message for message: for programs, and for tests of backends.
   *
   * @throws ConnectError whatever the method answers; UNIMPLEMENTED if nobody serves it; PERMISSION_DENIED if it was not granted;
   *   CANCELLED if `signal` is aborted; DEADLINE_EXCEEDED if its time is up; RESOURCE_EXHAUSTED as `open`
   */
  async unary<D extends DescMethodUnary>(
    desc: D,
    request: MessageInitShape<D["input"]>,
    options: CallOptions = {},
  ): Promise<Response<D["input"], D["output"]>> {
    const { method, input, answer } = this.#callee(desc);
    const { signal, timeoutMs = 0, header, values } = options;
    const ownMs = timeoutMs > 0 ? timeoutMs : 0;
    const call = this.open(method, ownMs, values, header && new Headers(header));
    if (signal === undefined) return this.#run(desc, call, input.create(request), answer);
    if (signal.aborted) throw call.givenUp();
    const leave = (): void => call.abort(call.givenUp());
    signal.addEventListener("abort", leave, { once: true });
    try {
      return await this.#run(desc, call, input.create(request), answer);
    } finally {
      signal.removeEventListener("abort", leave);
    }
  }

  #run<D extends DescMethodUnary>(
    desc: D,
    call: Call,
    request: Message,
    answer: Answer,
  ): Response<D["input"], D["output"]> | Promise<Response<D["input"], D["output"]>> {
    const finish = (message: Message): Response<D["input"], D["output"]> => {
      // Bytes that were to be filled in place have no guest memory here: they are filled now.
      fillBytes(desc.output, message);
      return new Response(call, message as MessageShape<D["output"]>);
    };
    const response = run(this.#core, call, request, answer);
    return isPending(response) ? toPromise(response).then(finish) : finish(response);
  }

  /** Who answers a method, as long as that is the same. */
  #callee(desc: DescMethodUnary): Callee {
    let known = this.#callees.get(desc);
    const name = known?.method.name ?? `${desc.parent.typeName}/${desc.name}`;
    if (known === undefined) this.#checkProgram(name);
    const method = this.#core.find(name);
    if (method === undefined) throw new ConnectError(`nobody serves ${name}`, Code.Unimplemented);
    if (known?.method.entry !== method.entry) {
      // Bytes are read as the program knows them: what a guest says of its own contract may be missing, or wrong.
      const described = method.entry.kind === "backend" ? method : { ...method, desc };
      const { interceptors, codec } = this.#core;
      const answer = answerOf(described, interceptors, this.#core);
      known = { method: described, input: codecOf(desc.input, codec), answer };
      this.#callees.set(desc, known);
    }
    return known;
  }

  #checkProgram(name: string): void {
    try {
      this.#checkGrant(name);
    } catch (error) {
      this.#tellRefused(name, error as ConnectError);
      throw error;
    }
  }

  /**
   * Opens a call of the caller, for whoever runs it.
   *
   * @param timeoutMs in milliseconds from now, above 0; or 0 for the deadline of the call that the caller is answering
   * @throws ConnectError RESOURCE_EXHAUSTED if calls are nested too deep
   */
  open(target: Method, timeoutMs: number, values?: ContextValues, requestHeader?: Headers): Call {
    const { clock, limits } = this.#core;
    const parent = target.detached ? undefined : this.current;
    if (timeoutMs === 0 && parent === undefined && !target.detached)
      timeoutMs = limits.defaultTimeoutMs;
    const id = this.#core.nextId();
    const call = new Call(id, target, this.caller, parent, timeoutMs, clock);
    if (values !== undefined || requestHeader !== undefined) call.send(values, requestHeader);
    if (call.depth > limits.depth) {
      throw new ConnectError(
        `calls are nested more than ${limits.depth} deep: ${pathOf(call)}`,
        Code.ResourceExhausted,
      );
    }
    return call;
  }
}

/** A method of a service of the caller's own: it needs the number to serve it, and was not granted to call it. */
function servedOnly(bound: BoundMethod, caller: string): BoundMethod {
  return {
    name: bound.name,
    start: () => {
      throw new ConnectError(
        `${caller} serves ${bound.name} and was not granted to call it: add it to the grants of ${caller}`,
        Code.PermissionDenied,
      );
    },
    write: (response, memory, at, end) => bound.write(response, memory, at, end),
    encode: (response) => bound.encode(response),
  };
}

/** Who called whom down to a call, its outermost caller first: `words.client → words.facade → redis`. */
export function pathOf(call: Call): string {
  const names = [call.target.entry.name, call.caller.name];
  for (let up = call.parent; up !== undefined; up = up.parent) names.push(up.caller.name);
  return names.toReversed().join(" → ");
}

async function toPromise<T>(pending: Pending<T>): Promise<T> {
  return new Promise<T>((resolve, reject) => pending.settle({ done: resolve, failed: reject }));
}
