import type { MessageInitShape } from "@bufbuild/protobuf";
import type { GuestEvent } from "@dropthrough/dispatch";
import type { ReceiveResponseSchema } from "./gen/dropthrough/kernel/v1/kernel_pb.ts";

/** An event as Receive answers it. */
export function responseOf(event: GuestEvent): MessageInitShape<typeof ReceiveResponseSchema> {
  if (event.kind === "incoming") {
    const { call, method, length } = event;
    return { event: { case: "incoming", value: { call, method, length } } };
  }
  if (event.kind === "finished")
    return { event: { case: "finished", value: { call: event.call } } };
  if (event.kind === "exit") {
    const { code, reason, graceMs } = event;
    return { event: { case: "exit", value: { code, reason, graceMs: Math.ceil(graceMs) } } };
  }
  return { event: { case: "timeout", value: {} } };
}
