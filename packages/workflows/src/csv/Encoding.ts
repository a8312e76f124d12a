/**
 * Which encoding a text file is in, from its first bytes.
 *
 * A byte-order mark decides; then the declared encoding; else UTF-8, unless the first non-ASCII bytes of the file (see
 * Utf8Stream) are not UTF-8: then it is windows-1252, and that guess is reported.
 */
import { Schema } from "effect";

/** The encodings that are read. */
export const CsvEncoding = Schema.Literals(["utf-8", "utf-16le", "utf-16be", "windows-1252"]);
export type CsvEncoding = typeof CsvEncoding.Type;

/** How the encoding was found: `fallback` is a guess that a person may want to check. */
export const EncodingOrigin = Schema.Literals(["bom", "declared", "content", "fallback"]);
export type EncodingOrigin = typeof EncodingOrigin.Type;

const byteOrderMarks: ReadonlyArray<readonly [CsvEncoding, ReadonlyArray<number>]> = [
  ["utf-8", [0xef, 0xbb, 0xbf]],
  ["utf-16le", [0xff, 0xfe]],
  ["utf-16be", [0xfe, 0xff]],
];

const startsWith = (bytes: Uint8Array, prefix: ReadonlyArray<number>): boolean =>
  prefix.every((byte, index) => bytes[index] === byte);

/** The encoding that a byte-order mark states, and the mark's length. */
export const byteOrderMark = (
  bytes: Uint8Array,
): { readonly encoding: CsvEncoding; readonly bytes: number } | undefined => {
  const found = byteOrderMarks.find(([, mark]) => startsWith(bytes, mark));
  return found === undefined ? undefined : { encoding: found[0], bytes: found[1].length };
};

const signatures: ReadonlyArray<readonly [string, ReadonlyArray<number>]> = [
  ["a zip archive or an Excel workbook", [0x50, 0x4b, 0x03, 0x04]],
  ["a gzip archive", [0x1f, 0x8b]],
  ["a Parquet file", [0x50, 0x41, 0x52, 0x31]],
  ["a PDF document", [0x25, 0x50, 0x44, 0x46, 0x2d]],
  ["an old Excel workbook", [0xd0, 0xcf, 0x11, 0xe0]],
  ["a PNG image", [0x89, 0x50, 0x4e, 0x47]],
  ["a JPEG image", [0xff, 0xd8, 0xff]],
  ["a zstd archive", [0x28, 0xb5, 0x2f, 0xfd]],
];

/** What a file that is not text looks like; undefined when it may well be text in a one-byte or UTF-8 encoding. */
export const binaryKind = (bytes: Uint8Array): string | undefined => {
  const signature = signatures.find(([, prefix]) => startsWith(bytes, prefix));
  if (signature !== undefined) return signature[0];
  return bytes.includes(0)
    ? "binary data, or UTF-16 without a byte-order mark (then declare the encoding)"
    : undefined;
};
