import { Any } from "./gen/google/protobuf/any";
import { decode, Message } from "./message";

/** A message of any type, with its type's name: what the details of a status are. */
export function pack(message: Message): Any {
  const any = new Any();
  any.typeUrl = "type.googleapis.com/" + message.typeName();
  any.value = message.encode();
  return any;
}

/** The message inside, if it is a T; null if it is something else or malformed. */
export function unpack<T extends Message>(any: Any): T | null {
  const slash = any.typeUrl.lastIndexOf("/");
  if (any.typeUrl.substring(slash + 1) != instantiate<T>().typeName()) return null;
  return decode<T>(any.value);
}
