/**
 * Renders an image's renditions from one decode (D4.5): the largest from the input, the smaller ones from the largest.
 *
 * A rendition fits into its box, keeps the aspect ratio and is never enlarged. The camera's orientation is applied,
 * colours become sRGB, all metadata is dropped. The cascade costs a third of the processor time of separate decodes and
 * comes as close to a reference renderer (measured). The frames of an animation are decoded for each rendition.
 */
import { Effect } from "effect";
import sharp, { type OutputInfo, type Sharp } from "sharp";
import { encodeImage } from "./encodeImage.ts";
import type { ImageFailure } from "./ImageFailure.ts";
import type { ImageMetadata, RenditionInfo } from "./ImageMetadata.ts";
import { type ImageType, mimeTypes, type RenditionType, renditionTypeOf } from "./ImageType.ts";
import { accept, openImage, restrictLibrary, toFailure } from "./openImage.ts";
import { boxName, type RenditionBox, renditionBoxes } from "./renditionTable.ts";

/** One rendition with its bytes. */
export interface Rendition extends RenditionInfo {
  readonly bytes: Uint8Array;
}

/** How images are rendered. */
export interface ImageOptions {
  /** @default those of renditionTable.ts */
  readonly boxes?: ReadonlyArray<RenditionBox> | undefined;
  /** What becomes of an animation: its first frame, or a WebP with all of them. @default "first" */
  readonly frames?: "first" | "all" | undefined;
}

/** What is to be rendered. */
export interface RenditionOptions extends ImageOptions {
  /** The object's name in failures, e.g. bucket, key and version. */
  readonly source: string;
}

const fitInside = (image: Sharp, { height, width }: RenditionBox): Sharp =>
  image.resize(width, height, { fit: "inside", withoutEnlargement: true });

/** The pixels of the largest rendition, from which all are made. */
const decode = (bytes: Uint8Array, box: RenditionBox) =>
  fitInside(openImage(bytes).autoOrient(), box)
    .toColourspace("srgb")
    .raw()
    .toBuffer({ resolveWithObject: true });

type Pixels = Awaited<ReturnType<typeof decode>>;

const ofPixels = ({ data, info: { channels, height, width } }: Pixels): Sharp =>
  sharp(data, { raw: { width, height, channels } });

const toRendition = (
  { data, info }: { readonly data: Buffer; readonly info: OutputInfo },
  box: RenditionBox,
  type: RenditionType,
): Rendition => ({
  box: boxName(box),
  type,
  mimeType: mimeTypes[type],
  // Of an animation the height is that of all frames, one below the other.
  dimensions: { width: info.width, height: info.pageHeight ?? info.height },
  fileSize: data.length,
  bytes: data,
});

/** The box that holds all others. */
const largestOf = (boxes: ReadonlyArray<RenditionBox>): RenditionBox => ({
  width: Math.max(1, ...boxes.map(({ width }) => width)),
  height: Math.max(1, ...boxes.map(({ height }) => height)),
});

const renderStill = Effect.fnUntraced(function* (
  bytes: Uint8Array,
  inputType: ImageType,
  boxes: ReadonlyArray<RenditionBox>,
  failed: (cause: unknown) => ImageFailure,
) {
  const largest = largestOf(boxes);
  const pixels = yield* Effect.tryPromise({ try: () => decode(bytes, largest), catch: failed });
  return yield* Effect.forEach(boxes, (box) => {
    const { quality, type = renditionTypeOf(inputType) } = box;
    const encoded = () =>
      encodeImage(fitInside(ofPixels(pixels), box), type, quality).toBuffer({
        resolveWithObject: true,
      });
    return Effect.map(Effect.tryPromise({ try: encoded, catch: failed }), (written) =>
      toRendition(written, box, type),
    );
  });
});

const renderAnimation = (
  bytes: Uint8Array,
  boxes: ReadonlyArray<RenditionBox>,
  failed: (cause: unknown) => ImageFailure,
) =>
  Effect.forEach(boxes, (box) => {
    const encoded = () =>
      encodeImage(fitInside(openImage(bytes, "all"), box), "webp", box.quality).toBuffer({
        resolveWithObject: true,
      });
    return Effect.map(Effect.tryPromise({ try: encoded, catch: failed }), (written) =>
      toRendition(written, box, "webp"),
    );
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
 * Fails:  ImageFailure - the image is empty, of no known kind, too large, too slow, broken or (SVG) unsafe: permanent
 */
export const renderRenditions = Effect.fn("renderRenditions")(function* (
  bytes: Uint8Array,
  { boxes = renditionBoxes, frames = "first", source }: RenditionOptions,
) {
  yield* restrictLibrary;
  const inputType = yield* accept(source, bytes);
  const failed = toFailure(source);
  const metadata = yield* Effect.tryPromise({
    try: () => openImage(bytes).metadata(),
    catch: failed,
  });
  const isAnimation = frames === "all" && (metadata.pages ?? 1) > 1;
  const renditions = yield* isAnimation
    ? renderAnimation(bytes, boxes, failed)
    : renderStill(bytes, inputType, boxes, failed);
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
