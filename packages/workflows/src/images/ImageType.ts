/**
 * What kind of image some bytes are, by their first bytes and never by a name; and what its renditions are written as.
 *
 * JPEG, PNG, GIF, WebP and AVIF keep their format (PNG, WebP and AVIF so their transparency; of an animation the first
 * frame is rendered, or all as WebP); SVG becomes PNG (D4.5). The table of renditions may ask for another format.
 */
import { isUtf8 } from "node:buffer";
import { Schema } from "effect";

/** The kinds that are taken. */
export const ImageType = Schema.Literals(["jpeg", "png", "gif", "webp", "avif", "svg"]);
export type ImageType = typeof ImageType.Type;

/** The kinds that are written. */
export const RenditionType = Schema.Literals(["jpeg", "png", "gif", "webp", "avif"]);
export type RenditionType = typeof RenditionType.Type;

/** The content type of each kind. */
export const mimeTypes: Record<ImageType, string> = {
  jpeg: "image/jpeg",
  png: "image/png",
  gif: "image/gif",
  webp: "image/webp",
  avif: "image/avif",
  svg: "image/svg+xml",
};

/** What the renditions of each kind are written as. */
export const renditionTypeOf = (type: ImageType): RenditionType => (type === "svg" ? "png" : type);

const ascii = (bytes: Uint8Array, from: number, to: number): string =>
  Buffer.from(bytes.subarray(from, to)).toString("latin1");

/** SVG has no signature: it is text whose first element is `svg`, behind declarations and comments. */
const looksLikeSvg = (bytes: Uint8Array): boolean => {
  const head = Buffer.from(bytes.subarray(0, 4096))
    .toString("utf8")
    .replace(/^\uFEFF/, "");
  return (
    /^\s*(?:<\?[^>]*>\s*|<!--[\s\S]*?-->\s*|<!DOCTYPE[^[>]*(?:\[[\s\S]*?\])?[^>]*>\s*)*<(?:\w+:)?svg[\s>/]/i.test(
      head,
    ) && isUtf8(bytes)
  );
};

/** AVIF is a box file: its first box names its brands, of which one at the least says that it is an image in AV1. */
const isAvif = (bytes: Uint8Array): boolean => {
  if (ascii(bytes, 4, 8) !== "ftyp") return false;
  const length = Math.min(Buffer.from(bytes.subarray(0, 4)).readUInt32BE(0), 256);
  const brands: ReadonlyArray<string> = ascii(bytes, 8, length).match(/.{4}/gs) ?? [];
  return brands.includes("avif") || brands.includes("avis");
};

/** The kind of the bytes; undefined for any other. */
export const detectImageType = (bytes: Uint8Array): ImageType | undefined => {
  if (bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff) return "jpeg";
  if (ascii(bytes, 0, 8) === "\x89PNG\r\n\x1a\n") return "png";
  if (/^GIF8[79]a$/.test(ascii(bytes, 0, 6))) return "gif";
  if (ascii(bytes, 0, 4) === "RIFF" && ascii(bytes, 8, 12) === "WEBP") return "webp";
  if (isAvif(bytes)) return "avif";
  return looksLikeSvg(bytes) ? "svg" : undefined;
};
