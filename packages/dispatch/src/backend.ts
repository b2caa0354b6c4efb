import type { DescService } from "@bufbuild/protobuf";
import type { ConnectError, HandlerContext, ServiceImpl } from "@connectrpc/connect";
import { checkBackend } from "./backend-check.ts";
import type { Directory } from "./guest.ts";

/** The brand of an entry, shared by all copies of this package; its value is the major version of the interface. */
export const brand: unique symbol = Symbol.for("@dropthrough/backend");

/** The version of the `Backend` interface that this package knows. */
export const BACKEND_VERSION = 1;

/**
 * A true server: host code that answers for one protobuf service. It is data; `defineBackend` makes one.
 */
export interface Backend<S extends DescService = DescService> extends BackendInit<S> {
  readonly [brand]: number;
  readonly kind: "backend";
  readonly features: readonly string[];
}

/** What a backend says of itself. */
export interface BackendInit<S extends DescService = DescService> {
  /** For traces and messages, such as `redis`. */
  readonly name: string;
  /** The generated descriptor is the contract. */
  readonly service: S;
  /**
   * One function for each rpc, as for a Connect server: it may answer a value or a promise, and throws `ConnectError`.
   * A method that is left out answers UNIMPLEMENTED. Only unary methods are called.
   */
  readonly impl: Partial<ServiceImpl<S>>;
  /** Names of what it can do beyond the core of its contract, for who reads them: the registry does not. */
  readonly features?: readonly string[];
  /**
   * Its handlers use the bytes of a request only until they return, or first await: then those are views of guest memory
   * and not copies. Default false.
   */
  readonly borrows?: boolean;
  /**
   * Fields that one request may hold, those of messages in it and each item of a list counted: what holds more is
   * RESOURCE_EXHAUSTED before it is decoded. Default `guestFields` of the limits of the registry: 131,072.
   */
  readonly maxFields?: number;
  // Names of methods are plain texts below: TypeScript before 6 would not take a backend of one service for a `Backend` else.
  /** The same for single methods, as `impl` has them. */
  readonly maxFieldsOf?: Readonly<Record<string, number>>;
  /** Hears of a request with too many fields, which no handler sees. */
  readonly refused?: (error: ConnectError, context: HandlerContext) => void;
  /**
   * Methods that a guest calls for itself, to wait for what comes, as `impl` has them: their calls are made on behalf of no
   * other call, and have no deadline but their own. Default none.
   */
  readonly detached?: readonly string[];
  /** Is it able to answer? `Registry.health` asks, and with it `dropthrough run`. */
  readonly health?: () => Health | Promise<Health>;
  /** Hands over what the host knows about guests, before the first call. For backends that are about guests. */
  readonly attach?: (directory: Directory) => void;
  /** Closes what it opened. Called once, when the registry is disposed. */
  readonly [Symbol.asyncDispose]?: () => Promise<void>;
}

/** How a backend is. */
export interface Health {
  readonly ok: boolean;
  /** One sentence for the operator. */
  readonly message?: string;
}

/**
 * Makes a backend. A wrong method name, request or response is a compile error; in a class, if that `implements ServiceImpl<typeof FileService>`.
 *
 * @throws TypeError for what is wrong all the same, such as a `service` that is no generated descriptor
 */
export function defineBackend<S extends DescService>(init: BackendInit<S>): Backend<S> {
  checkBackend(init);
  return { ...init, features: init.features ?? [], [brand]: BACKEND_VERSION, kind: "backend" };
}
