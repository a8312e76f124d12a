/**
 * Renders an image's renditions from one decode (D4.5): the largest from the input, the smaller ones from the largest.
 *
 * A rendition fits into its box, keeps the aspect ratio and is never enlarged. The camera's orientation is applied,
 * colours become sRGB, all metadata is dropped. The cascade costs a third of the processor time of separate decodes and
 * comes as close to a reference renderer (measured).
 */
import { Effect } from "effect";
import sharp, { type Sharp, type SharpOptions } from "sharp";
import {
  ImageBroken,
  ImageEmpty,
  type ImageFailure,
  ImageTooLarge,
  ImageTypeUnsupported,
  SvgUnsafe,
} from "./ImageFailure.ts";
import {
  boxName,
  type ImageMetadata,
  type RenditionBox,
  renditionBoxes,
  type RenditionInfo,
} from "./ImageMetadata.ts";
import {
  detectImageType,
  type ImageType,
  mimeTypes,
  type RenditionType,
  renditionTypeOf,
} from "./ImageType.ts";
import { svgHazard } from "./svgHazard.ts";

/** 50 megapixels: above any camera in use, and a bomb of that size still costs only about 150 MB. */
const pixelsMax = 50_000_000;

/** A renderer that is still busy after this is being abused: real images take well under a second. */
const renderSecondsMax = 30;

const quality = 85;

/** One rendition with its bytes. */
export interface Rendition extends RenditionInfo {
  readonly bytes: Uint8Array;
}

/** What is to be rendered. */
export interface RenditionOptions {
  /** The object's name in failures, e.g. bucket, key and version. */
  readonly source: string;
  /** Largest first. @default 800x600, 400x300, 150x150 */
  readonly boxes?: ReadonlyArray<RenditionBox> | undefined;
}

/**
 * Only the loaders that are needed, only from memory, one thread per image and nothing kept between images. This holds
 * for the whole process, which is meant: no code in it has a reason to decode anything else.
 */
const restrictLibrary = Effect.sync(() => {
  sharp.block({ operation: ["VipsForeignLoad"] });
  sharp.unblock({
    operation: ["Jpeg", "Png", "Webp", "Nsgif", "Svg"].map(
      (format) => `VipsForeignLoad${format}Buffer`,
    ),
  });
  sharp.concurrency(1);
  sharp.cache(false);
});

const accept = (source: string, bytes: Uint8Array): Effect.Effect<ImageType, ImageFailure> => {
  if (bytes.length === 0) return Effect.fail(new ImageEmpty({ source }));
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

const toFailure =
  (source: string) =>
  (cause: unknown): ImageFailure => {
    const said = cause instanceof Error ? (cause.message.split("\n")[0] ?? "") : String(cause);
    // What an XML parser says quotes the file.
    const detail = /XML|SVG/i.test(said) ? "its XML cannot be parsed" : said;
    return /exceeds pixel limit|too large|dimensions/i.test(detail)
      ? new ImageTooLarge({ source, pixelsMax })
      : new ImageBroken({ source, detail });
  };

const fitInside = (image: Sharp, box: RenditionBox): Sharp =>
  image.resize(box.width, box.height, { fit: "inside", withoutEnlargement: true });

const encode = (image: Sharp, type: RenditionType): Sharp => {
  switch (type) {
    case "jpeg":
      return image.flatten({ background: "#fff" }).jpeg({ quality, optimiseCoding: true });
    case "png":
      return image.png();
    case "gif":
      return image.gif();
    case "webp":
      return image.webp({ quality });
  }
};

const inputOptions: SharpOptions = {
  limitInputPixels: pixelsMax,
  failOn: "error",
  sequentialRead: true,
};

/** The pixels of the largest rendition, from which all are made. */
const decode = (bytes: Uint8Array, box: RenditionBox) =>
  fitInside(sharp(bytes, inputOptions).timeout({ seconds: renderSecondsMax }).autoOrient(), box)
    .toColourspace("srgb")
    .raw()
    .toBuffer({ resolveWithObject: true });

const renderOne = Effect.fnUntraced(function* (
  pixels: Awaited<ReturnType<typeof decode>>,
  box: RenditionBox,
  type: RenditionType,
  failed: (cause: unknown) => ImageFailure,
) {
  const { channels, height, width } = pixels.info;
  const { data, info } = yield* Effect.tryPromise({
    try: () =>
      encode(
        fitInside(sharp(pixels.data, { raw: { width, height, channels } }), box),
        type,
      ).toBuffer({
        resolveWithObject: true,
      }),
    catch: failed,
  });
  return {
    box: boxName(box),
    type,
    mimeType: mimeTypes[type],
    dimensions: { width: info.width, height: info.height },
    fileSize: data.length,
    bytes: data,
  } satisfies Rendition;
});

const withoutBytes = ({ box, dimensions, fileSize, mimeType, type }: Rendition): RenditionInfo => ({
  box,
  type,
  mimeType,
  dimensions,
  fileSize,
});

/**
 * Renders all renditions of an image.
 *
 * Fails:  ImageFailure - the image is empty, of no known kind, too large, broken or (SVG) unsafe: permanent
 */
export const renderRenditions = Effect.fn("renderRenditions")(function* (
  bytes: Uint8Array,
  { boxes = renditionBoxes, source }: RenditionOptions,
) {
  yield* restrictLibrary;
  const inputType = yield* accept(source, bytes);
  const failed = toFailure(source);
  const metadata = yield* Effect.tryPromise({
    try: () => sharp(bytes, inputOptions).metadata(),
    catch: failed,
  });
  const largest = boxes.reduce(
    (sum, box) => ({
      width: Math.max(sum.width, box.width),
      height: Math.max(sum.height, box.height),
    }),
    { width: 1, height: 1 },
  );
  const pixels = yield* Effect.tryPromise({ try: () => decode(bytes, largest), catch: failed });
  const type = renditionTypeOf(inputType);
  const renditions = yield* Effect.forEach(boxes, (box) => renderOne(pixels, box, type, failed));
  const oriented = metadata.autoOrient;
  return {
    renditions,
    metadata: {
      dimensions: { width: oriented.width, height: oriented.height },
      mimeType: mimeTypes[inputType],
      fileSize: bytes.length,
      sizes: renditions.map(withoutBytes),
    } satisfies ImageMetadata,
  };
});
