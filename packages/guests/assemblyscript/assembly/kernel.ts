import { Code, codeName } from "./code";
import { Status } from "./gen/dropthrough/abi/v1/status";
import {
  ArgumentsRequest,
  ExitRequest,
  ExportRequest,
  KernelServiceClient,
  LaunchRequest,
  RegisterRequest,
  RequireRequest,
} from "./gen/dropthrough/kernel/v1/kernel";
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

/** Ends this guest. Does not return: the host unwinds it. `code` is 0 to 192. */
export function exit(code: i32, reason: string = ""): void {
  const request = new ExitRequest();
  request.code = code;
  request.reason = reason;
  kernel().exit(request);
  // Only a host that breaks the contract comes here.
  unreachable();
}
