import { expect, test } from "vitest";
import { codecOf, sourceOf } from "../src/index.ts";
import { messageOf, sources, typesOf } from "./contracts.ts";

test("the code of a message can be read", () => {
  const { create, decode, encode } = sourceOf(
    messageOf(typesOf(sources.contracts), "dropthrough.testing.v1.EchoResponse"),
  );
  expect(create).toContain(`  value = init.payload;
  if (value != null) this.payload = toBytes(value);
  else this.payload = empty1;
`);
  expect(decode).toContain('// Decodes "dropthrough.testing.v1.EchoResponse"\n');
  expect(decode).toContain(`      case 1: {
        message.payload = readBytes(memory, pos, limit);
        pos = cursor.pos;
        break;
      }`);
  expect(encode).toContain(`  // 1: "payload"
  value = message.payload;
  if (!ArrayBuffer.isView(value) || value.byteLength > 0 || !(value instanceof Uint8Array)) {
    if (pos + 1 > end) return -1;
    memory[pos++] = 10;`);
});

test("nothing that a descriptor is called becomes code", () => {
  const hostile =
    "x\"; globalThis.broken = 1; `${globalThis.broken = 1}` \u2028 globalThis.broken = 1; //\n globalThis.broken = 1; '\\";
  const named = <Desc extends object>(desc: Desc, names: object): Desc =>
    Object.assign(Object.create(desc) as Desc, names);
  const honest = messageOf(typesOf(sources.corners), "dropthrough.codec.test.editions.Plain");
  const desc = named(honest, { typeName: hostile, name: hostile });
  const fields = honest.fields.map((field, at) =>
    named(field, { localName: `${hostile}${at}`, name: hostile, parent: desc }),
  );
  Object.assign(desc, { fields, members: fields });
  const codec = codecOf(desc);
  const bytes = Uint8Array.of(0x0a, 1, 65, 0x12, 3, 0x0a, 1, 66);
  const message = codec.decode(bytes, 0, bytes.length);
  expect(message).toMatchObject({ $typeName: hostile, [`${hostile}0`]: "A" });
  expect(codec.encode(message)).toEqual(bytes);
  expect(codec.create({ [`${hostile}0`]: "A" })).toEqual({
    ...message,
    [`${hostile}1`]: [],
  });
  expect(() =>
    codec.encode(Object.assign(message, { [`${hostile}0`]: Symbol("x") })),
  ).not.toThrow();
  expect("broken" in globalThis).toBe(false);
});
