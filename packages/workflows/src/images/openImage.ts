/**
 * The decoder, held to what an honest image needs: only the loaders for the kinds that are taken, only from memory, a
 * limit of pixels and of time, one thread per image and nothing kept between images.
 */
import { Effect } from "effect";
import sharp, { type Sharp, type SharpOptions } from "sharp";
import {
  ImageBroken,
  ImageEmpty,
  type ImageFailure,
  ImageFileTooLarge,
  ImageTooLarge,
  ImageTooSlow,
  ImageTypeUnsupported,
  SvgUnsafe,
} from "./ImageFailure.ts";
import { detectImageType, type ImageType } from "./ImageType.ts";
import { svgHazard } from "./svgHazard.ts";

/** Largest file, in bytes: it is held in memory whole, and four of them at once in a function of 1,769 MB. */
export const imageBytesMax = 100 * 1024 * 1024;

/** 50 megapixels: above any camera in use, and a bomb of that size still costs only about 150 MB. */
const pixelsMax = 50_000_000;

/** A renderer that is still busy after this is being abused: real images take well under a second. */
const renderSecondsMax = 30;

/**
 * This holds for the whole process, which is meant: no code in it has a reason to decode anything else.
 */
export const restrictLibrary = Effect.sync(() => {
  sharp.block({ operation: ["VipsForeignLoad"] });
  sharp.unblock({
    operation: ["Jpeg", "Png", "Webp", "Nsgif", "Svg", "Heif"].map(
      (format) => `VipsForeignLoad${format}Buffer`,
    ),
  });
  sharp.concurrency(1);
  sharp.cache(false);
});

/** What the bytes are, if they may be decoded at all. */
export const accept = (
  source: string,
  bytes: Uint8Array,
): Effect.Effect<ImageType, ImageFailure> => {
  if (bytes.length === 0) return Effect.fail(new ImageEmpty({ source }));
  if (bytes.length > imageBytesMax) return Effect.fail(tooLarge(source, bytes.length));
  const type = detectImageType(bytes);
  if (type === undefined) {
    const first = Buffer.from(bytes.subarray(0, 8));
    // The beginning of a text is data; that of any other kind of file names the kind.
    const firstBytes = first.every(
      (byte) => byte >= 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09,
    )
      ? "text"
      : first.toString("hex");
    return Effect.fail(new ImageTypeUnsupported({ source, firstBytes }));
  }
  const hazard = type === "svg" ? svgHazard(bytes) : undefined;
  return hazard === undefined
    ? Effect.succeed(type)
    : Effect.fail(new SvgUnsafe({ source, detail: hazard }));
};

/** The failure of a file that is not even read. */
export const tooLarge = (source: string, bytes: number): ImageFileTooLarge =>
  new ImageFileTooLarge({ source, bytes, bytesMax: imageBytesMax });

/** What sharp says, as a failure. */
export const toFailure =
  (source: string) =>
  (cause: unknown): ImageFailure => {
    const said = cause instanceof Error ? (cause.message.split("\n")[0] ?? "") : String(cause);
    // What an XML parser says quotes the file.
    const detail = /XML|SVG/i.test(said) ? "its XML cannot be parsed" : said;
    if (/^timeout/i.test(said)) return new ImageTooSlow({ source, secondsMax: renderSecondsMax });
    return /exceeds pixel limit|too large|dimensions/i.test(detail)
      ? new ImageTooLarge({ source, pixelsMax })
      : new ImageBroken({ source, detail });
  };

const inputOptions: SharpOptions = {
  limitInputPixels: pixelsMax,
  failOn: "error",
  sequentialRead: true,
};

/** The image, or all frames of an animation, to be decoded when it is asked for. */
export const openImage = (bytes: Uint8Array, frames: "first" | "all" = "first"): Sharp =>
  sharp(bytes, { ...inputOptions, animated: frames === "all" }).timeout({
    seconds: renderSecondsMax,
  });
