import type { MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError, type HandlerContext, type ServiceImpl } from "@connectrpc/connect";
import { callerOf, type Directory, type Guest, type ServiceInfo } from "@dropthrough/dispatch";
import { Departures } from "./departures.ts";
import { encodeExit, responseOf } from "./event.ts";
import type {
  ExitRequest,
  ExportRequest,
  KernelService,
  LocateRequest,
  RandomRequest,
  ReceiveRequest,
  ReceiveResponseSchema,
  RegisterRequest,
  RequireRequest,
  ServiceSchema,
} from "./gen/dropthrough/kernel/v1/kernel_pb.ts";
import { OwnerKind } from "./gen/dropthrough/kernel/v1/kernel_pb.ts";
import { Launches } from "./launches.ts";
import { type Now, nowOf } from "./now.ts";
import { excerpt } from "./excerpt.ts";
import { MOST_RANDOM } from "./random.ts";
import { StartGraph } from "./start-graph.ts";

/** How many services one guest may export, and require. */
const MOST_SERVICES = 256;
const MOST_NAME = 256;
const MOST_REASON = 1024;
const SERVICE_NAME = /^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$/;
const OWNER_KINDS = {
  backend: OwnerKind.BACKEND,
  guest: OwnerKind.GUEST,
  link: OwnerKind.LINK,
} as const;

type Event = MessageInitShape<typeof ReceiveResponseSchema>;
type ServiceInit = MessageInitShape<typeof ServiceSchema>;

/** `KernelOptions`, with the defaults. */
export interface KernelSettings {
  readonly startupTimeoutMs: number;
  readonly wallClock: (() => number) | undefined;
  readonly random: (length: number) => Uint8Array;
}

/** The system calls. Each docstring of kernel.proto lists the codes. */
export class Kernel implements ServiceImpl<typeof KernelService>, Disposable {
  readonly #settings: KernelSettings;
  readonly #registered = new WeakSet<Guest>();
  readonly #departures = new Departures();
  #host: { readonly directory: Directory; readonly launches: Launches } | undefined;

  constructor(settings: KernelSettings) {
    this.#settings = settings;
  }

  attach(directory: Directory): void {
    if (this.#host !== undefined)
      throw new TypeError("this kernel belongs to a host already: make another one");
    const isRegistered = (guest: Guest): boolean => this.#registered.has(guest);
    const launches = new Launches(
      directory,
      this.#departures,
      this.#settings.startupTimeoutMs,
      isRegistered,
    );
    this.#host = { directory, launches };
  }

  register(request: RegisterRequest, context: HandlerContext): { name: string; instance: number } {
    const guest = guestOf(context);
    if (request.name !== "" && request.name !== guest.name) {
      throw new ConnectError(
        `this guest is named ${guest.name} here, not ${excerpt(request.name, MOST_NAME)}: rename it in the config, or register without a name`,
        Code.InvalidArgument,
      );
    }
    this.#registered.add(guest);
    return { name: guest.name, instance: guest.instance };
  }

  export({ services }: ExportRequest, context: HandlerContext): object {
    const guest = this.#starting(context, "Export");
    checkNames(services, guest.exported);
    for (const service of services) guest.export(service);
    return {};
  }

  require({ services }: RequireRequest, context: HandlerContext): object {
    const guest = this.#starting(context, "Require");
    checkNames(services, guest.required);
    if (services.length === 0) return {};
    const cycle = new StartGraph(this.#known.directory).cycle(guest, services);
    if (cycle !== undefined) {
      throw new ConnectError(
        `${cycle.join(" requires ")}: a guest cannot wait for itself`,
        Code.FailedPrecondition,
      );
    }
    for (const service of services) guest.require(service);
    return {};
  }

  locate({ service }: LocateRequest, context: HandlerContext): { service: ServiceInit } {
    const guest = guestOf(context);
    if (!guest.required.has(service)) {
      throw new ConnectError(
        `${guest.name} has not required ${excerpt(service, MOST_NAME)}: require it before Launch`,
        Code.FailedPrecondition,
      );
    }
    const info = this.#known.directory.services().find((s) => s.name === service);
    if (info === undefined) {
      const gone = this.#departures.of(service, new StartGraph(this.#known.directory));
      throw gone === undefined
        ? new ConnectError(`nobody serves ${service} now`, Code.NotFound)
        : new ConnectError(`${service} was served by ${gone}`, Code.Unavailable);
    }
    if (info.running === 0) {
      throw new ConnectError(
        `no instance of ${info.owners.join(" or ")} runs now, which serves ${service}: try again`,
        Code.Unavailable,
      );
    }
    return { service: serviceOf(info) };
  }

  launch(_: unknown, context: HandlerContext): object | Promise<object> {
    const guest = guestOf(context);
    const failed = (error: unknown): never => {
      guest.launchFailed(ConnectError.from(error).rawMessage);
      throw error;
    };
    try {
      this.#registeredGuest(context, "Launch");
      return this.#known.launches.launch(guest, context)?.then(() => ({}), failed) ?? {};
    } catch (error) {
      return failed(error);
    }
  }

  receive({ timeoutMs }: ReceiveRequest, context: HandlerContext): Event | Promise<Event> {
    const event = this.#registeredGuest(context, "Receive").receive(timeoutMs, context);
    return event instanceof Promise ? event.then(responseOf) : responseOf(event);
  }

  atExit(_: unknown, context: HandlerContext): { method: number } {
    return { method: guestOf(context).atExit(encodeExit) };
  }

  exit({ code, reason }: ExitRequest, context: HandlerContext): object {
    const guest = guestOf(context);
    const words = excerpt(reason, MOST_REASON);
    guest.exit(code, words);
    // Nobody sees it: the host unwinds the guest where this import would return.
    return {};
  }

  services(): { services: ServiceInit[] } {
    return { services: this.#known.directory.services().map(serviceOf) };
  }

  arguments(_: unknown, context: HandlerContext): { arguments: string[] } {
    return { arguments: [...guestOf(context).arguments] };
  }

  environment(_: unknown, context: HandlerContext): { variables: Record<string, string> } {
    return { variables: guestOf(context).environment };
  }

  now(): Now {
    return nowOf(this.#known.directory.clock, this.#settings.wallClock?.());
  }

  random({ length }: RandomRequest): { random: Uint8Array } {
    if (length > MOST_RANDOM) {
      throw new ConnectError(
        `${length} random bytes are above the limit of ${MOST_RANDOM}: ask for less at a time`,
        Code.ResourceExhausted,
      );
    }
    const random = this.#settings.random(length);
    if (random.length !== length)
      throw new TypeError(`the option random answered ${random.length} bytes, not ${length}`);
    return { random };
  }

  [Symbol.dispose](): void {
    this.#host?.launches[Symbol.dispose]();
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

  get #known(): { readonly directory: Directory; readonly launches: Launches } {
    if (this.#host === undefined) {
      throw new ConnectError(
        "this kernel belongs to no host: pass it to createHost",
        Code.FailedPrecondition,
      );
    }
    return this.#host;
  }
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
    if (service.length > MOST_NAME || !SERVICE_NAME.test(service)) {
      throw new ConnectError(
        `"${excerpt(service, MOST_NAME)}" is no service name: write package.Service`,
        Code.InvalidArgument,
      );
    }
  }
  if (new Set([...known, ...services]).size > MOST_SERVICES) {
    throw new ConnectError(
      `a guest may name at most ${MOST_SERVICES} services`,
      Code.ResourceExhausted,
    );
  }
}

function serviceOf(info: ServiceInfo): ServiceInit {
  const { name, owner, kind, running } = info;
  const [owners, methods] = [[...info.owners], [...info.methods]];
  return { name, owner, owners, kind: OWNER_KINDS[kind], running, methods };
}
