import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import {
  type DescriptorProtoSchema,
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
  type FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
} from "@bufbuild/protobuf/wkt";

/** A manifest that no guest library writes. */
export interface BrokenManifest {
  /** What is wrong with it, to be read behind "a manifest". */
  readonly title: string;
  /** The encoded Manifest; it says that its guest exports the service. */
  readonly content: Uint8Array;
  /** What is said of it; undefined if it is odd, and fits together. */
  readonly refusal: string | undefined;
}

type File = MessageInitShape<typeof FileDescriptorProtoSchema>;
type Message = MessageInitShape<typeof DescriptorProtoSchema>;

/**
 * Manifests with what may be wrong in them, and some that are odd.
 *
 * @param service the full name of the service that they are to describe; its one method is Echo
 */
export function brokenManifests(service: string): readonly BrokenManifest[] {
  const dot = service.lastIndexOf(".");
  const [scope, name] = [service.slice(0, dot), service.slice(dot + 1)];
  const echo = { name: "Echo", inputType: `.${scope}.In`, outputType: `.${scope}.Out` };
  /** A file that is right, with something else in it. */
  const file = (change: File, ...input: Message[]): File => ({
    name: "a.proto",
    package: scope,
    syntax: "proto3",
    messageType: [{ name: "In" }, { name: "Out" }, ...input],
    service: [{ name, method: [echo] }],
    ...change,
  });
  const encode = (...files: File[]): Uint8Array =>
    manifest(
      service,
      toBinary(FileDescriptorSetSchema, create(FileDescriptorSetSchema, { file: files })),
    );
  /** A message of one field that is right, with something else in it. */
  const field = (change: NonNullable<Message["field"]>[number]): Message => ({
    name: "M",
    field: [{ name: "f", number: 1, label: Label.OPTIONAL, type: Type.STRING, ...change }],
  });
  const many = Array.from({ length: 20_000 }, (_, i) => ({ name: `M${i}` }));
  const fit = "the descriptors in its manifest do not fit together";
  const no = "the custom section dropthrough.v1 is no dropthrough.abi.v1.Manifest";
  return [
    broken("that ends too early", Uint8Array.of(0x2a, 100), `${no} (premature EOF)`),
    broken("whose name is no UTF-8", Uint8Array.of(0x0a, 1, 0xff), no),
    broken("with 10,000 messages in each other", manifest(service, nested(10_000)), `${no} (`),
    broken("of a megabyte", new Uint8Array(1 << 20), "above the limit of 524288"),
    broken(
      "that imports what it lacks",
      encode(file({ dependency: ["b.proto"] })),
      `${fit} (Cannot find b.proto, imported by a.proto)`,
    ),
    broken(
      "whose files import each other",
      encode(file({ dependency: ["b.proto"] }), { name: "b.proto", dependency: ["a.proto"] }),
      `${fit} (Cannot find b.proto`,
    ),
    broken(
      "with a file that imports itself",
      encode(file({ dependency: ["a.proto"] })),
      `${fit} (Cannot find a.proto`,
    ),
    broken(
      "with a file twice",
      encode(file({}), file({ service: [] })),
      `${fit} (a file is there twice)`,
    ),
    broken(
      "with a message twice",
      encode(file({}, { name: "In" })),
      `${fit} (${scope}.In is there twice)`,
    ),
    broken(
      "with a service twice",
      encode(file({}), { name: "b.proto", package: scope, service: [{ name }] }),
      `${fit} (${service} is there twice)`,
    ),
    broken(
      "with a message that is called as the service is",
      encode(file({}, { name })),
      `${fit} (${service} is there twice)`,
    ),
    broken(
      "without the request of a method",
      encode(file({ messageType: [{ name: "Out" }] })),
      `${fit} (invalid MethodDescriptorProto: input_type .${scope}.In not found)`,
    ),
    broken(
      "without the message of a field",
      encode(file({}, field({ type: Type.MESSAGE, typeName: ".x.Gone" }))),
      `${fit} (invalid FieldDescriptorProto: type_name .x.Gone not found)`,
    ),
    broken(
      "without the messages of a list",
      encode(file({}, field({ type: Type.MESSAGE, typeName: ".x.Gone", label: Label.REPEATED }))),
      `${fit} (a type is missing or of a wrong kind)`,
    ),
    broken(
      "without the enum of a field",
      encode(file({}, field({ type: Type.ENUM, typeName: ".x.Gone" }))),
      `${fit} (`,
    ),
    broken(
      "that extends what it lacks",
      encode(file({ extension: [{ name: "e", number: 1, extendee: ".x.Gone" }] })),
      `${fit} (invalid FieldDescriptorProto: extendee .x.Gone not found)`,
    ),
    broken(
      "with a map by messages",
      encode(
        file(
          {},
          {
            name: "M",
            nestedType: [
              {
                name: "FEntry",
                options: { mapEntry: true },
                field: [
                  {
                    name: "key",
                    number: 1,
                    label: Label.OPTIONAL,
                    type: Type.MESSAGE,
                    typeName: `.${scope}.In`,
                  },
                  { name: "value", number: 2, label: Label.OPTIONAL, type: Type.STRING },
                ],
              },
            ],
            field: [
              {
                name: "f",
                number: 1,
                label: Label.REPEATED,
                type: Type.MESSAGE,
                typeName: `.${scope}.M.FEntry`,
              },
            ],
          },
        ),
      ),
      `${fit} (a type is missing or of a wrong kind)`,
    ),
    broken(
      "with a field of a oneof that it lacks",
      encode(file({}, field({ oneofIndex: 7 }))),
      `${fit} (invalid FieldDescriptorProto: oneof #7`,
    ),
    broken(
      "with a name that is none",
      encode(file({}, { name: "a b\n" })),
      `${fit} (a.proto: invalid message name`,
    ),
    broken(
      "with a package that is none",
      encode(file({ package: "x\ny" })),
      `${fit} (a.proto: invalid package name`,
    ),
    broken("without names", encode(file({}, {})), `${fit} (a.proto: invalid message name ""`),
    broken(
      "of a syntax that is to come",
      encode(file({ syntax: "proto9" })),
      `${fit} (a.proto: unsupported syntax`,
    ),
    broken(
      "with a long package and many messages",
      encode({ name: "a.proto", package: "x".repeat(200_000), messageType: many }),
      `${fit} (a name has 200003 letters, above 512: xxx`,
    ),
    broken(
      "with a message of 1,025 fields",
      encode(file({}, wide(1025))),
      `${fit} (${scope}.Wide has 1025 fields, above 1024)`,
    ),
    odd("with a message of 1,024 fields", encode(file({}, wide(1024)))),
    odd("that describes nothing", encode()),
    odd("that does not describe the method", encode(file({ service: [{ name }] }))),
    odd(
      "whose method streams",
      encode(file({ service: [{ name, method: [{ ...echo, serverStreaming: true }] }] })),
    ),
    ...(
      [
        ["with a field of no type", { type: 0 as Type }],
        ["with a field of a type that is to come", { type: 99 as Type }],
        ["with a list of a type that is to come", { type: 99 as Type, label: Label.REPEATED }],
        ["with a number that no field has", { number: -1 }],
        ["with a default that is none", { type: Type.INT32, defaultValue: "no" }],
        ["with a field that its messages must have", { label: Label.REQUIRED }],
        ["with a field that is called as nothing may be", { name: "__proto__", number: 2 }],
      ] as const
    ).map(([title, change]) => {
      const message = field(change);
      const type = `.${scope}.M`;
      const method = [{ ...echo, inputType: type, outputType: type }];
      return odd(title, encode(file({ syntax: "proto2", service: [{ name, method }] }, message)));
    }),
    odd(
      "with two fields of one number and name",
      encode(
        file({
          messageType: [
            {
              name: "In",
              field: [Type.STRING, Type.BOOL].map((type) => ({ name: "f", number: 1, type })),
            },
            { name: "Out" },
          ],
        }),
      ),
    ),
  ];
}

function broken(title: string, content: Uint8Array, refusal: string): BrokenManifest {
  return { title, content, refusal };
}

function odd(title: string, content: Uint8Array): BrokenManifest {
  return { title, content, refusal: undefined };
}

function manifest(service: string, descriptors: Uint8Array): Uint8Array {
  return Uint8Array.from([...part(3, new TextEncoder().encode(service)), ...part(5, descriptors)]);
}

/** A file with messages, each in the one before. */
function nested(depth: number): Uint8Array {
  const heads: number[][] = [];
  let length = 3;
  for (let i = 1; i < depth; i++) {
    heads.push([0x0a, 1, 0x4d, ...head(3, length)]);
    length += heads.at(-1)?.length ?? 0;
  }
  const message = [...heads.toReversed().flat(), 0x0a, 1, 0x4d];
  return part(1, part(4, Uint8Array.from(message)));
}

/** A field of bytes, or of a message. */
function part(number: number, content: Uint8Array): Uint8Array {
  const before = head(number, content.length);
  const bytes = new Uint8Array(before.length + content.length);
  bytes.set(before);
  bytes.set(content, before.length);
  return bytes;
}

/** What stands before so many bytes of a field. */
function head(number: number, length: number): number[] {
  const bytes = [(number << 3) | 2];
  for (; length > 127; length >>= 7) bytes.push((length & 127) | 128);
  return [...bytes, length];
}

/** A message with so many fields. */
function wide(count: number): Message {
  const field = (at: number): NonNullable<Message["field"]>[number] => ({
    name: `f${at}`,
    number: at + 1,
    label: Label.OPTIONAL,
    type: Type.INT32,
  });
  return { name: "Wide", field: Array.from({ length: count }, (_, at) => field(at)) };
}
