import type { MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError, type HandlerContext, type ServiceImpl } from "@connectrpc/connect";
import { callerOf, type Directory, type Guest, type ServiceInfo } from "@dropthrough/dispatch";
import type {
  ExitRequest,
  ExportRequest,
  KernelService,
  LaunchResponseSchema,
  LocateRequest,
  RegisterRequest,
  RequireRequest,
  ServiceSchema,
} from "./gen/dropthrough/kernel/v1/kernel_pb.ts";
import { OwnerKind } from "./gen/dropthrough/kernel/v1/kernel_pb.ts";
import { StartOrder } from "./start-order.ts";

/** How many services one guest may export, and require. */
const MOST_SERVICES = 256;
const SERVICE_NAME = /^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$/;
const OWNER_KINDS = {
  backend: OwnerKind.BACKEND,
  guest: OwnerKind.GUEST,
  link: OwnerKind.LINK,
} as const;

/** The system calls. Each docstring of kernel.proto lists the codes. */
export class Kernel implements ServiceImpl<typeof KernelService> {
  readonly #startupTimeoutMs: number;
  readonly #registered = new WeakSet<Guest>();
  #directory: Directory | undefined;

  constructor(startupTimeoutMs: number) {
    this.#startupTimeoutMs = startupTimeoutMs;
  }

  attach(directory: Directory): void {
    this.#directory = directory;
  }

  register(request: RegisterRequest, context: HandlerContext): { name: string; instance: number } {
    const guest = guestOf(context);
    if (request.name !== "" && request.name !== guest.name) {
      throw new ConnectError(
        `this guest is named ${guest.name} here, not ${request.name}: rename it in the config, or register without a name`,
        Code.InvalidArgument,
      );
    }
    this.#registered.add(guest);
    return { name: guest.name, instance: guest.instance };
  }

  export(request: ExportRequest, context: HandlerContext): object {
    const guest = this.#starting(context, "Export");
    checkNames(request.services, guest.exported);
    for (const service of request.services) guest.export(service);
    return {};
  }

  require(request: RequireRequest, context: HandlerContext): object {
    const guest = this.#starting(context, "Require");
    checkNames(request.services, guest.required);
    const order = new StartOrder(this.#known());
    for (const service of request.services) {
      const cycle = order.cycle(guest, service);
      if (cycle !== undefined) {
        throw new ConnectError(
          `${cycle.join(" requires ")}: a guest cannot wait for itself`,
          Code.FailedPrecondition,
        );
      }
      guest.require(service);
    }
    return {};
  }

  locate(
    { service }: LocateRequest,
    context: HandlerContext,
  ): { service: MessageInitShape<typeof ServiceSchema> } {
    const guest = guestOf(context);
    if (!guest.required.has(service)) {
      throw new ConnectError(
        `${guest.name} has not required ${service}: require it before Launch`,
        Code.FailedPrecondition,
      );
    }
    const info = this.#known()
      .services()
      .find((s) => s.name === service);
    if (info === undefined) throw new ConnectError(`nobody serves ${service} now`, Code.NotFound);
    return { service: serviceOf(info) };
  }

  launch(_: unknown, context: HandlerContext): Launched | Promise<Launched> {
    const guest = this.#registeredGuest(context, "Launch");
    const order = new StartOrder(this.#known());
    if (!ready(guest, order)) return this.#wait(guest, order, context);
    guest.launch();
    return {};
  }

  exit({ code, reason }: ExitRequest, context: HandlerContext): object {
    guestOf(context).exit(code, reason);
    return {};
  }

  services(): { services: MessageInitShape<typeof ServiceSchema>[] } {
    return { services: this.#known().services().map(serviceOf) };
  }

  arguments(_: unknown, context: HandlerContext): { arguments: string[] } {
    return { arguments: [...guestOf(context).arguments] };
  }

  /** Waits until everything that a guest requires runs, or it is clear that it never will. */
  async #wait(guest: Guest, order: StartOrder, context: HandlerContext): Promise<Launched> {
    const directory = this.#known();
    const waitedFor = new Map(
      order.missing(guest).map((service) => [service, order.exporters(service)]),
    );
    return new Promise((resolve, reject) => {
      const end = (settle: () => void): void => {
        watch[Symbol.dispose]();
        stop();
        context.signal.removeEventListener("abort", abort);
        settle();
      };
      const look = (): void => {
        try {
          if (!ready(guest, order)) return;
          end(() => {
            guest.launch();
            resolve({});
          });
        } catch (error) {
          const gone = [...waitedFor].find(
            ([service, names]) => names.length > 0 && order.exporters(service).length === 0,
          );
          end(() => reject(gone === undefined ? error : exited(guest, ...gone)));
        }
      };
      const abort = (): void => end(() => reject(context.signal.reason));
      const late = (): void =>
        end(() =>
          reject(
            new ConnectError(
              `${guest.name} could not start within ${this.#startupTimeoutMs} ms: ${order.diagnosis()}`,
              Code.DeadlineExceeded,
            ),
          ),
        );
      const watch = directory.watch(look);
      const stop = directory.clock.after(this.#startupTimeoutMs, late);
      context.signal.addEventListener("abort", abort);
    });
  }

  #starting(context: HandlerContext, call: string): Guest {
    const guest = this.#registeredGuest(context, call);
    if (guest.state !== "starting") {
      throw new ConnectError(
        `${guest.name} was launched already: ${call} comes before Launch`,
        Code.FailedPrecondition,
      );
    }
    return guest;
  }

  #registeredGuest(context: HandlerContext, call: string): Guest {
    const guest = guestOf(context);
    if (!this.#registered.has(guest)) {
      throw new ConnectError(
        `${guest.name} has not registered: call Register before ${call}`,
        Code.FailedPrecondition,
      );
    }
    return guest;
  }

  #known(): Directory {
    if (this.#directory === undefined) {
      throw new ConnectError(
        "this kernel belongs to no host: pass it to createHost",
        Code.FailedPrecondition,
      );
    }
    return this.#directory;
  }
}

type Launched = MessageInitShape<typeof LaunchResponseSchema>;

/**
 * Whether everything that a guest requires runs.
 *
 * @throws ConnectError NOT_FOUND if it does not, and waiting cannot help
 */
function ready(guest: Guest, order: StartOrder): boolean {
  if (order.missing(guest).length === 0) return true;
  const hopeless = order.hopeless(guest);
  if (hopeless !== undefined) throw hopeless;
  return false;
}

function exited(guest: Guest, service: string, names: readonly string[]): ConnectError {
  return new ConnectError(
    `${guest.name} requires ${service} of ${names.join(", ")}, which exited instead of launching`,
    Code.Unavailable,
  );
}

function guestOf(context: HandlerContext): Guest {
  const { guest, name } = callerOf(context);
  if (guest === undefined) {
    throw new ConnectError(
      `${name} is no guest: the kernel answers guests`,
      Code.FailedPrecondition,
    );
  }
  return guest;
}

function checkNames(services: readonly string[], known: ReadonlySet<string>): void {
  for (const service of services) {
    if (service.length > 256 || !SERVICE_NAME.test(service)) {
      throw new ConnectError(
        `"${service.slice(0, 256)}" is no service name: write package.Service`,
        Code.InvalidArgument,
      );
    }
  }
  if (known.size + services.length > MOST_SERVICES) {
    throw new ConnectError(
      `a guest may name at most ${MOST_SERVICES} services`,
      Code.ResourceExhausted,
    );
  }
}

function serviceOf(info: ServiceInfo): MessageInitShape<typeof ServiceSchema> {
  const { name, owner, kind, running, methods } = info;
  return { name, owner, kind: OWNER_KINDS[kind], running, methods: [...methods] };
}
