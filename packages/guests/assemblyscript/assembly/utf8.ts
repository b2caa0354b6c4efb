// UTF-8 to AssemblyScript's UTF-16 strings, strictly: no overlong forms, no surrogates, nothing above
// U+10FFFF. The standard library's own decoder accepts all of those.

/** How many UTF-16 units the `length` bytes at `from` make, or -1 if they are not UTF-8. */
export function utf16Length(from: usize, length: usize): i32 {
  const end = from + length;
  let p = from;
  let units = 0;
  while (p < end) {
    while (end - p >= 8 && (load<u64>(p) & 0x8080808080808080) == 0) {
      p += 8;
      units += 8;
    }
    if (p >= end) break;
    const a = <u32>load<u8>(p);
    if (a < 0x80) {
      p += 1;
      units += 1;
    } else if (a < 0xc2) {
      return -1; // a continuation byte, or an overlong form of ASCII
    } else if (a < 0xe0) {
      if (end - p < 2 || (load<u8>(p, 1) & 0xc0) != 0x80) return -1;
      p += 2;
      units += 1;
    } else if (a < 0xf0) {
      if (end - p < 3 || (load<u16>(p, 1) & 0xc0c0) != 0x8080) return -1;
      const b = <u32>load<u8>(p, 1);
      if (a == 0xe0 && b < 0xa0) return -1; // overlong
      if (a == 0xed && b > 0x9f) return -1; // a surrogate
      p += 3;
      units += 1;
    } else if (a < 0xf5) {
      if (end - p < 4 || (load<u32>(p) & 0xc0c0c000) != 0x80808000) return -1;
      const b = <u32>load<u8>(p, 1);
      if (a == 0xf0 && b < 0x90) return -1; // overlong
      if (a == 0xf4 && b > 0x8f) return -1; // above U+10FFFF
      p += 4;
      units += 2;
    } else {
      return -1;
    }
  }
  return units;
}

/** The `length` bytes at `from` as a string, or null if they are not UTF-8. */
export function decodeUtf8(from: usize, length: usize): string | null {
  if (length == 0) return "";
  const units = utf16Length(from, length);
  if (units < 0) return null;
  const text = changetype<string>(__new((<usize>units) << 1, idof<string>()));
  const end = from + length;
  let to = changetype<usize>(text);
  let p = from;
  while (p < end) {
    const a = <u32>load<u8>(p);
    if (a < 0x80) {
      store<u16>(to, a);
      p += 1;
    } else if (a < 0xe0) {
      store<u16>(to, ((a & 31) << 6) | (load<u8>(p, 1) & 63));
      p += 2;
    } else if (a < 0xf0) {
      store<u16>(to, ((a & 15) << 12) | ((load<u8>(p, 1) & 63) << 6) | (load<u8>(p, 2) & 63));
      p += 3;
    } else {
      const c =
        (((a & 7) << 18) |
          ((<u32>load<u8>(p, 1) & 63) << 12) |
          ((<u32>load<u8>(p, 2) & 63) << 6) |
          (<u32>load<u8>(p, 3) & 63)) -
        0x10000;
      store<u16>(to, 0xd800 | (c >> 10));
      store<u16>(to, 0xdc00 | (c & 0x3ff), 2);
      to += 2;
      p += 4;
    }
    to += 2;
  }
  return text;
}
