/**
 * Percent-encoding on bytes, as S3 and Signature Version 4 define it.
 *
 * `decodeURIComponent` is not used because it throws on bytes that are not UTF-8, and `URL` because it rewrites paths.
 */
const unreserved = /[A-Za-z0-9\-._~]/u;

/** Decodes `%XX`; `undefined` when the bytes are not UTF-8. A `+` is itself unless `plusIsSpace`. */
export const percentDecode = (text: string, plusIsSpace: boolean): string | undefined => {
  if (!text.includes("%") && !text.includes("+") && !/[^\u0020-\u007e]/u.test(text)) return text;
  const bytes: Array<number> = [];
  for (let index = 0; index < text.length; index++) {
    const character = text.charAt(index);
    const hex = text.slice(index + 1, index + 3);
    if (character === "%" && /^[0-9a-fA-F]{2}$/u.test(hex)) {
      bytes.push(Number.parseInt(hex, 16));
      index += 2;
    } else if (character === "+" && plusIsSpace) {
      bytes.push(0x20);
    } else {
      // The server hands raw bytes on as Latin-1.
      bytes.push(...Buffer.from(character, character > "\u00ff" ? "utf8" : "latin1"));
    }
  }
  const buffer = Buffer.from(bytes);
  const decoded = buffer.toString("utf8");
  return Buffer.from(decoded, "utf8").equals(buffer) ? decoded : undefined;
};

/** Encodes all but RFC 3986's unreserved characters; `keep` names further characters to leave alone, e.g. `/`. */
export const percentEncode = (text: string, keep = ""): string => {
  let encoded = "";
  for (const character of text) {
    if (unreserved.test(character) || (keep !== "" && keep.includes(character))) {
      encoded += character;
    } else {
      for (const byte of Buffer.from(character, "utf8")) {
        encoded += `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
      }
    }
  }
  return encoded;
};
