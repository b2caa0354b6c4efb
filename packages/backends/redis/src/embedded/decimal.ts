import { ReplyError } from "../redis-error.ts";

/** Redis keeps so many digits after the point. */
const DIGITS = 17;
const SCALE = 10n ** BigInt(DIGITS);
const NUMBER = /^([+-]?)(\d*)\.?(\d*)(?:e([+-]?\d{1,3}))?$/i;

/**
 * The sum of two decimals, as INCRBYFLOAT writes it: Redis adds long doubles, and a sum of doubles would show
 * (0.1 + 0.2 is 0.30000000000000004).
 *
 * @throws ReplyError if `text` is no number
 */
export function addDecimals(text: string, by: string): string {
  const sum = parse(text) + parse(by);
  const sign = sum < 0n ? "-" : "";
  const digits = String(sum < 0n ? -sum : sum).padStart(DIGITS + 1, "0");
  const fraction = digits.slice(-DIGITS).replace(/0+$/, "");
  return sign + digits.slice(0, -DIGITS) + (fraction && `.${fraction}`);
}

/** A decimal, times 10^17. */
function parse(text: string): bigint {
  const [, sign, whole = "", fraction = "", exponent = "0"] = NUMBER.exec(text.slice(0, 400)) ?? [];
  if (whole + fraction === "" || text.length > 400) {
    throw new ReplyError("ERR value is not a valid float");
  }
  const shift = Number(exponent) - fraction.length;
  const digits = BigInt(whole + fraction);
  const value =
    shift >= 0 ? digits * 10n ** BigInt(shift) * SCALE : (digits * SCALE) / 10n ** BigInt(-shift);
  return sign === "-" ? -value : value;
}
