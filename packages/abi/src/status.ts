import { create, fromBinary, ScalarType, toBinary } from "@bufbuild/protobuf";
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { AnySchema, type Any } from "@bufbuild/protobuf/wkt";
import { ConnectError } from "@connectrpc/connect";
import { Code, isCode } from "./code.ts";
import { StatusSchema } from "./gen/dropthrough/abi/v1/status_pb.ts";

const TYPE_URL = "type.googleapis.com/";
/** Fields of one Status, those of its details counted: four million bytes of empty details took seconds to decode. */
const MOST_FIELDS = 1024;

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
 * @throws ConnectError INVALID_ARGUMENT if the bytes are no `Status`, or the code is none of the 16; RESOURCE_EXHAUSTED if it
 *   has more than 1,024 fields, those of its details counted
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
    // The least of them take two bytes.
    if (bytes.length > 2 * MOST_FIELDS) checkFields(bytes);
    status = fromBinary(StatusSchema, bytes);
  } catch (cause) {
    if (cause instanceof ConnectError) throw cause;
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

/** Reads each field as the decoder does, by its type, whatever wire type stands in front of it: else some could hide others. */
function checkFields(bytes: Uint8Array): void {
  const reader = new BinaryReader(bytes);
  let fields = 0;
  const count = (end: number, inDetail: boolean): void => {
    while (reader.pos < end) {
      if (++fields > MOST_FIELDS) {
        throw new ConnectError(
          `the Status holds more than ${MOST_FIELDS} fields: send fewer details`,
          Code.ResourceExhausted,
        );
      }
      const [number, type] = reader.tag();
      const { fields: known } = inDetail ? AnySchema : StatusSchema;
      const field = known.find((one) => one.number === number);
      if (field === undefined) reader.skip(type, number);
      else if (field.message !== undefined) {
        const length = reader.uint32();
        count(reader.pos + length, true);
      } else if (field.scalar === ScalarType.INT32) reader.int32();
      else reader.skip(WireType.LengthDelimited);
    }
  };
  count(bytes.length, false);
}
