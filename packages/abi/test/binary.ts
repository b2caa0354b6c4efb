/** A module of sections, where the text has no words for them. */
export function binary(
  ...sections: readonly (readonly [id: number, content: readonly number[]])[]
): Uint8Array<ArrayBuffer> {
  const bytes = sections.flatMap(([id, content]) => [id, content.length, ...content]);
  return Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...bytes]);
}
