import { fromBinary, ScalarType, toBinary } from "@bufbuild/protobuf";
import type { DescField, DescMessage } from "@bufbuild/protobuf";
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";

/**
 * What a codec has to make of bytes: the message encoded again by protobuf-es, "malformed", or undefined where
 * protobuf-es cannot say. It looks neither at the wire types of known fields (here, as in protobuf's own libraries,
 * one that does not fit is an unknown field) nor at the ends of nested messages and packed lists.
 */
export function expectedOf(
  desc: DescMessage,
  bytes: Uint8Array,
): Uint8Array | "malformed" | undefined {
  try {
    if (!wireTypesFit(desc, bytes)) return undefined;
    return toBinary(desc, fromBinary(desc, bytes));
  } catch {
    return "malformed";
  }
}

/** Whether all known fields have the wire type of their type. Throws where the bytes are malformed. */
function wireTypesFit(desc: DescMessage, bytes: Uint8Array): boolean {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [number, wire] = reader.tag();
    const field = desc.fields.find((candidate) => candidate.number === number);
    if (field !== undefined && !fits(field, wire)) return false;
    const message = field?.fieldKind === "map" ? undefined : field?.message;
    if (message !== undefined) {
      if (!wireTypesFit(message, reader.bytes())) return false;
    } else if (field?.fieldKind === "map") {
      if (!entryFits(field, reader.bytes())) return false;
    } else if (field?.fieldKind === "list" && wire !== valueWireType(field)) {
      const packed = new BinaryReader(reader.bytes());
      while (packed.pos < packed.len) packed.skip(valueWireType(field));
    } else {
      reader.skip(wire, number);
    }
  }
  return true;
}

function entryFits(field: DescField & { fieldKind: "map" }, bytes: Uint8Array): boolean {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [number, wire] = reader.tag();
    if (number === 1 && wire !== wireTypeOf(field.mapKey)) return false;
    if (number === 2 && wire !== valueWireType(field)) return false;
    if (number === 2 && field.message !== undefined) {
      if (!wireTypesFit(field.message, reader.bytes())) return false;
    } else {
      reader.skip(wire, number);
    }
  }
  return true;
}

function fits(field: DescField, wire: WireType): boolean {
  if (field.fieldKind === "map") return wire === WireType.LengthDelimited;
  const own = valueWireType(field);
  if (field.fieldKind !== "list") return wire === own;
  return wire === own || wire === WireType.LengthDelimited;
}

function valueWireType(field: DescField): WireType {
  if (field.message !== undefined) return WireType.LengthDelimited;
  return field.enum === undefined ? wireTypeOf(field.scalar) : WireType.Varint;
}

function wireTypeOf(scalar: ScalarType): WireType {
  switch (scalar) {
    case ScalarType.STRING:
    case ScalarType.BYTES:
      return WireType.LengthDelimited;
    case ScalarType.DOUBLE:
    case ScalarType.FIXED64:
    case ScalarType.SFIXED64:
      return WireType.Bit64;
    case ScalarType.FLOAT:
    case ScalarType.FIXED32:
    case ScalarType.SFIXED32:
      return WireType.Bit32;
    default:
      return WireType.Varint;
  }
}
