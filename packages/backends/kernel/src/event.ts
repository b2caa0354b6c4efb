import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import type { ExitEvent, GuestEvent } from "@dropthrough/dispatch";
import {
  ExitCallSchema,
  type ReceiveResponseSchema,
} from "./gen/dropthrough/kernel/v1/kernel_pb.ts";

/** An event as Receive answers it. */
export function responseOf(event: GuestEvent): MessageInitShape<typeof ReceiveResponseSchema> {
  if (event.kind === "incoming") {
    const { call, method, length } = event;
    return { event: { case: "incoming", value: { call, method, length } } };
  }
  if (event.kind === "finished")
    return { event: { case: "finished", value: { call: event.call } } };
  if (event.kind === "exit") {
    return { event: { case: "exit", value: exitCall(event) } };
  }
  return { event: { case: "timeout", value: {} } };
}

/** The request of the call that a guest has asked for before its end. */
export function encodeExit(event: ExitEvent): Uint8Array {
  return toBinary(ExitCallSchema, create(ExitCallSchema, exitCall(event)));
}

/** What a uint32 can say. */
const MOST_MS = 0xffff_ffff;

function exitCall({ code, reason, graceMs }: ExitEvent): MessageInitShape<typeof ExitCallSchema> {
  return { code, reason, graceMs: Math.min(MOST_MS, Math.ceil(graceMs)) };
}
