/**
 * Internet addresses and blocks as event patterns compare them: as hexadecimal digits, so that every spelling of an
 * IPv6 address is one value. An IPv4-mapped IPv6 address counts as the IPv4 address.
 *
 * Digits of different length (IPv4 against IPv6) are compared from the left, as AWS's matcher does: `0.0.0.0/0` also
 * holds IPv6 addresses.
 *
 * Source: CIDR and Range of aws/event-ruler 2.0.1
 */

export interface AddressBlock {
  readonly bottom: string;
  readonly top: string;
}

const v4Shape = /^[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+$/;
const v6Shape = /^[0-9a-fA-F:]*:[0-9a-fA-F:]*$/;

/** The address as 8 (IPv4) or 32 (IPv6) upper-case hexadecimal digits, or undefined when it is none. */
export const addressDigits = (text: string): string | undefined => {
  if (v4Shape.test(text)) return v4Digits(text);
  return v6Shape.test(text) ? v6Digits(text) : undefined;
};

const v4Digits = (text: string): string | undefined => {
  const bytes = text.split(".").map(Number);
  if (bytes.some((byte) => byte > 255)) return undefined;
  return bytes
    .map((byte) => byte.toString(16).padStart(2, "0"))
    .join("")
    .toUpperCase();
};

const v6GroupCount = 8;

const v6Digits = (text: string): string | undefined => {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const [head = [], tail = []] = halves.map((half) => (half === "" ? [] : half.split(":")));
  const missing = v6GroupCount - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const zeros = Array.from({ length: missing }, () => "0");
  const groups = [...head, ...zeros, ...tail];
  if (groups.some((group) => group === "" || group.length > 4)) return undefined;
  const digits = groups
    .map((group) => group.padStart(4, "0"))
    .join("")
    .toUpperCase();
  const mappedPrefix = `${"0".repeat(20)}FFFF`;
  return digits.startsWith(mappedPrefix) ? digits.slice(mappedPrefix.length) : digits;
};

/** Reads `address/maskBits`; a reason when it is none. A mask as long as the address is refused, as AWS does. */
export const readBlock = (text: string): AddressBlock | { readonly reason: string } => {
  const parts = text.replace(/\/+$/, "").split("/");
  const [address = "", mask = ""] = parts;
  if (parts.length !== 2) return { reason: "one '/' between address and mask is required" };
  if (!/^\+?[0-9]+$/.test(mask)) return { reason: "the mask must be a whole number, not negative" };
  const digits = addressDigits(address);
  if (digits === undefined) return { reason: `"${address}" is not an IP address` };
  const bits = digits.length * 4;
  const maskBits = Number(mask);
  if (maskBits >= bits) return { reason: `the mask must be less than ${bits}` };
  const size = 1n << BigInt(bits - maskBits);
  const base = BigInt(`0x${digits}`);
  const bottom = base - (base % size);
  const hex = (value: bigint) => value.toString(16).padStart(digits.length, "0").toUpperCase();
  return { bottom: hex(bottom), top: hex(bottom + size - 1n) };
};

const hexDigits = /^[0-9A-F]*$/;

/** Whether digits lie in a block; digits that end before the comparison is decided lie outside. */
export const inBlock = (digits: string, { bottom, top }: AddressBlock): boolean => {
  const head = digits.slice(0, bottom.length);
  if (!hexDigits.test(head)) return false;
  const undecided = head.length < bottom.length;
  if (undecided && (bottom.startsWith(head) || top.startsWith(head))) return false;
  return head >= bottom && head <= top;
};
