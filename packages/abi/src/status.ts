import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { AnySchema, type Any } from "@bufbuild/protobuf/wkt";
import { ConnectError } from "@connectrpc/connect";
import { Code, isCode } from "./code.ts";
import { StatusSchema } from "./gen/dropthrough/abi/v1/status_pb.ts";

const TYPE_URL = "type.googleapis.com/";

/**
 * A failed call as the `dropthrough.abi.v1.Status` that is parked for the guest.
 *
 * ```text
 *  NOT_FOUND "no"  →  08 05 12 02 6e 6f
 * ```
 */
export function encodeStatus(error: ConnectError): Uint8Array<ArrayBuffer> {
  return toBinary(
    StatusSchema,
    create(StatusSchema, {
      code: error.code,
      message: error.rawMessage,
      details: error.details.map(encodeDetail),
    }),
  );
}

function encodeDetail(detail: ConnectError["details"][number]): Any {
  if ("desc" in detail) {
    return create(AnySchema, {
      typeUrl: TYPE_URL + detail.desc.typeName,
      value: toBinary(detail.desc, create(detail.desc, detail.value)),
    });
  }
  return create(AnySchema, { typeUrl: TYPE_URL + detail.type, value: detail.value });
}

/**
 * The error that a guest replied with.
 *
 * @param code the code given to `reply`; it wins over the one in the bytes
 * @param bytes an encoded `Status`, or nothing
 * @throws ConnectError INVALID_ARGUMENT if the bytes are no `Status`, or the code is none of the 16
 */
export function decodeStatus(code: number, bytes: Uint8Array): ConnectError {
  if (!isCode(code)) {
    throw new ConnectError(
      `${code} is no code: use 1 (CANCELLED) to 16 (UNAUTHENTICATED)`,
      Code.InvalidArgument,
    );
  }
  let status;
  try {
    status = fromBinary(StatusSchema, bytes);
  } catch (cause) {
    throw new ConnectError(
      "the body of a reply with a code must be a dropthrough.abi.v1.Status",
      Code.InvalidArgument,
      undefined,
      undefined,
      cause,
    );
  }
  const error = new ConnectError(status.message, code);
  error.details = status.details.map((any) => ({
    type: any.typeUrl.slice(any.typeUrl.lastIndexOf("/") + 1),
    value: any.value,
  }));
  return error;
}
