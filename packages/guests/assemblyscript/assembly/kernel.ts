import { Code, codeName } from "./code";
import { Status } from "./gen/dropthrough/abi/v1/status";
import {
  ArgumentsRequest,
  AtExitRequest,
  EnvironmentRequest,
  ExitRequest,
  ExportRequest,
  KernelServiceClient,
  LaunchRequest,
  NowRequest,
  RandomRequest,
  RegisterRequest,
  RequireRequest,
} from "./gen/dropthrough/kernel/v1/kernel";
import { Timestamp } from "./gen/google/protobuf/timestamp";
import { addHook, askedForLastCall, runHooks, setLastCall } from "./hooks";
import { describe, newStatus, okStatus } from "./result";
import { attach } from "./serve";
import { Service } from "./service";

/** The kernel itself, for what the functions of this file do not do. */
export function kernel(): KernelServiceClient {
  let client = kernelClient;
  if (client === null) {
    client = new KernelServiceClient();
    kernelClient = client;
  }
  return client;
}

let kernelClient: KernelServiceClient | null = null;

/** The start of a guest, step by step; see `launch`. */
@final
export class Launch {
  private readonly exported: Service[] = [];
  private readonly required: string[] = [];

  constructor(private readonly name: string) {}

  /** Serves a service. */
  export(service: Service): Launch {
    this.exported.push(service);
    return this;
  }

  /** Needs a service: the guest starts when it is there. */
  require(service: string): Launch {
    this.required.push(service);
    return this;
  }

  /**
   * Registers, exports, requires and launches. Answers when all that is required is running; the code
   * is 0 if all went well, else that of the first step that failed (proto/dropthrough/kernel/v1).
   */
  run(): Status {
    const register = new RegisterRequest();
    register.name = this.name;
    const registered = kernel().register(register);
    if (!registered.ok) return registered.status;
    const exported = this.exported;
    if (exported.length > 0) {
      const request = new ExportRequest();
      for (let i = 0; i < exported.length; i++) request.services.push(exported[i].serviceName());
      const answer = kernel().export(request);
      if (!answer.ok) return answer.status;
      for (let i = 0; i < exported.length; i++) {
        const code = attach(exported[i]);
        if (code != 0) {
          const name = exported[i].serviceName();
          return newStatus(code, "cannot bind the methods of " + name + ": " + codeName(code));
        }
      }
    }
    if (this.required.length > 0) {
      const request = new RequireRequest();
      request.services = this.required;
      const answer = kernel().require(request);
      if (!answer.ok) return answer.status;
    }
    const launched = kernel().launch(new LaunchRequest());
    return launched.ok ? okStatus() : launched.status;
  }

  /** Runs; ends the guest with exit code 1 and the status as its reason if that fails. */
  runOrExit(): void {
    const status = this.run();
    if (status.code != Code.OK) exit(1, describe(status));
  }
}

/**
 * Starts a guest:
 * `launch("words.facade").export(new Facade()).require("dropthrough.redis.v1.RedisService").runOrExit()`.
 *
 * `name` must be the one the operator gave the guest; empty takes whatever that is.
 */
export function launch(name: string = ""): Launch {
  return new Launch(name);
}

/** The command line arguments that the operator gave this guest; none if the kernel does not say. */
export function args(): string[] {
  const answer = kernel().arguments(new ArgumentsRequest());
  return answer.ok ? answer.value.arguments : [];
}

/** The environment variables that the operator granted this guest; none if the kernel does not say. */
export function environment(): Map<string, string> {
  const answer = kernel().environment(new EnvironmentRequest());
  return answer.ok ? answer.value.variables : new Map<string, string>();
}

/** The time by the wall clock. */
export function now(): Timestamp {
  const time = kernel().now(new NowRequest()).value.time;
  return time === null ? new Timestamp() : time;
}

/** Nanoseconds since an arbitrary start; never goes back. For durations. */
export function monotonicNs(): i64 {
  return kernel().now(new NowRequest()).value.monotonicNs;
}

/** So many random bytes, good enough for keys. */
export function random(length: i32): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length;) {
    const request = new RandomRequest();
    request.length = <u32>min(length - at, MOST_RANDOM);
    const part = kernel().random(request).value.random;
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

// The most bytes that the kernel answers at a time.
const MOST_RANDOM: i32 = 65_536;

/**
 * Does something before this guest ends: when it exits, when `main` of a command returns, or when the operator wants it to
 * exit; not after a trap, nor where the operator ends a command that does not `receive`: nobody can tell it. What was registered
 * last is done first. It may make calls, within the bound of the host.
 */
export function atExit(hook: () => void): void {
  addHook(hook);
  if (askedForLastCall()) return;
  // A command cannot be called, and an old kernel makes no such call: then it is done at the guest's own end.
  const answer = kernel().atExit(new AtExitRequest());
  setLastCall(answer.ok ? <i32>answer.value.method : -1);
}

/** Ends this guest, after what is to be done `atExit`. Does not return: the host unwinds it. `code` is 0 to 192. */
export function exit(code: i32, reason: string = ""): void {
  runHooks();
  const request = new ExitRequest();
  request.code = code;
  request.reason = reason;
  const refused = kernel().exit(request);
  // Only without a kernel does it come here, and then nobody has heard the reason.
  throw new Error("it cannot exit (" + describe(refused.status) + "): " + reason);
}
