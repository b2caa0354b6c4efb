import { Code, ConnectError } from "@connectrpc/connect";

/** A guest exports a service, and has not bound one of its methods. */
export function notBound(guest: string, method: string): ConnectError {
  return new ConnectError(
    `${guest} exports the service but did not bind ${method}: it does not implement it`,
    Code.Unimplemented,
  );
}

/** A guest exports a service, and there is no way to call it. */
export function cannotBeCalled(guest: string, method: string): ConnectError {
  return new ConnectError(
    `${guest} neither exports dropthrough_v1_serve nor receives any more: it cannot answer ${method}`,
    Code.Unimplemented,
  );
}

/** A guest that is called asks for its calls. */
export function cannotReceive(guest: string): ConnectError {
  return new ConnectError(
    `${guest} is called by the host, so it cannot receive: call Receive in _start or _initialize of a module without dropthrough_v1_done`,
    Code.FailedPrecondition,
  );
}

/** A guest that cannot be called asks for a call before its end. */
export function cannotSayGoodbye(guest: string): ConnectError {
  return new ConnectError(
    `${guest} exports no dropthrough_v1_serve, so it cannot be called before its end`,
    Code.FailedPrecondition,
  );
}

/** A guest exports a service when others count on what it exports. */
export function launchedAlready(guest: string): ConnectError {
  return new ConnectError(
    `${guest} was launched already: export before Launch`,
    Code.FailedPrecondition,
  );
}

/** A guest exports what the operator did not let it. */
export function mayNotExport(guest: string, service: string): ConnectError {
  return new ConnectError(
    `${guest} may not export ${service}: add it to the exports of ${guest}`,
    Code.PermissionDenied,
  );
}

/** A guest has returned and owes a reply. */
export function withoutReply(guest: string, method: string): ConnectError {
  return new ConnectError(`${guest} returned from ${method} without a reply`, Code.Internal);
}

/** A guest is called when its callers have used up the stack. */
export function noRoom(guest: string, method: string): ConnectError {
  return new ConnectError(
    `${guest} was not asked for ${method}: its callers have left too little of the stack; call it from fewer functions in each other`,
    Code.ResourceExhausted,
  );
}
