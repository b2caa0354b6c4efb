// google.protobuf.Struct stands in messages as a JSON object; in between it is the message that it is on the wire.
import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import type { Struct, Value } from "@bufbuild/protobuf/wkt";

/** Sets a property of a map, which a guest may well name `__proto__`. */
export function setOwn(record: object, key: string, value: unknown): void {
  if (key === "__proto__") {
    const property = { value, writable: true, enumerable: true, configurable: true };
    Object.defineProperty(record, key, property);
  } else (record as Record<string, unknown>)[key] = value;
}

export function structToJson(struct: Struct): JsonObject {
  const json: JsonObject = {};
  for (const key of Object.keys(struct.fields)) {
    setOwn(json, key, valueToJson(struct.fields[key] as Value));
  }
  return json;
}

function valueToJson({ kind }: Value): JsonValue {
  if (kind.case === "structValue") return structToJson(kind.value);
  if (kind.case === "listValue") return kind.value.values.map(valueToJson);
  return kind.case === "nullValue" || kind.case === undefined ? null : kind.value;
}

/** A Struct without fields for whatever is no JSON object. */
export function jsonToStruct(json: unknown): Struct {
  const struct: Struct = { $typeName: "google.protobuf.Struct", fields: {} };
  if (typeof json === "object" && json !== null && !Array.isArray(json)) {
    for (const [key, value] of Object.entries(json)) setOwn(struct.fields, key, jsonToValue(value));
  }
  return struct;
}

function jsonToValue(json: unknown): Value {
  return { $typeName: "google.protobuf.Value", kind: jsonToKind(json) };
}

function jsonToKind(json: unknown): Value["kind"] {
  if (typeof json === "string") return { case: "stringValue", value: json };
  if (typeof json === "number") return { case: "numberValue", value: json };
  if (typeof json === "boolean") return { case: "boolValue", value: json };
  if (json === null) return { case: "nullValue", value: 0 };
  if (typeof json !== "object") return { case: undefined };
  if (!Array.isArray(json)) return { case: "structValue", value: jsonToStruct(json) };
  const values = json.map(jsonToValue);
  return { case: "listValue", value: { $typeName: "google.protobuf.ListValue", values } };
}
