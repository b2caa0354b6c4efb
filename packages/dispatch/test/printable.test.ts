import { expect, test } from "vitest";
import { printable } from "../src/index.ts";

test("of all of Unicode, what ends a line, drives a terminal, or hides or turns text is escaped as in JSON, and nothing else", () => {
  const wrong: string[] = [];
  for (let code = 0; code <= 0x10_ff_ff; code++) {
    const character = String.fromCodePoint(code);
    const bad =
      /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\p{Cf}]/u.test(character) && code !== 0x20_0c && code !== 0x20_0d;
    const text = printable(character);
    const right = bad
      ? /^(\\[nrt]|(\\u[0-9a-f]{4}){1,2})$/.test(text) && JSON.parse(`"${text}"`) === character
      : text === character;
    if (!right) wrong.push(`${code.toString(16)}: ${text}`);
  }
  expect(wrong).toEqual([]);
});

test("what may stay stays, and nothing beside it", () => {
  const stack = "at a\n\tat b\r\n\u001b[2J";
  expect(printable(stack, "\n")).toBe("at a\n\\tat b\\r\n\\u001b[2J");
  expect(printable("می\u200cخواهم 👩\u200d💻")).toBe("می\u200cخواهم 👩\u200d💻");
});

test("half of a character is escaped, a whole one is not", () => {
  expect(printable("\ud83d 😀 \ude00")).toBe("\\ud83d 😀 \\ude00");
  expect(printable("\u{e0041}")).toBe("\\udb40\\udc41");
});
