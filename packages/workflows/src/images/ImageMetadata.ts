/**
 * What is known of a processed image (D4.6): the figures that its metadata row holds.
 */
import { Schema } from "effect";
import { RenditionType } from "./ImageType.ts";

/** The box a rendition fits into, in pixels. */
export interface RenditionBox {
  readonly width: number;
  readonly height: number;
}

/** The three boxes, largest first (D4.5). */
export const renditionBoxes: ReadonlyArray<RenditionBox> = [
  { width: 800, height: 600 },
  { width: 400, height: 300 },
  { width: 150, height: 150 },
];

/** A box's name in keys and records, e.g. `800x600`. */
export const boxName = (box: RenditionBox): string => `${box.width}x${box.height}`;

/** Pixels across and down. */
export const Dimensions = Schema.Struct({ width: Schema.Int, height: Schema.Int });
export type Dimensions = typeof Dimensions.Type;

/** One rendition without its bytes. */
export const RenditionInfo = Schema.Struct({
  /** The box, e.g. `800x600`. */
  box: Schema.String,
  type: RenditionType,
  mimeType: Schema.String,
  dimensions: Dimensions,
  fileSize: Schema.Int,
});
export type RenditionInfo = typeof RenditionInfo.Type;

/** The input image and its renditions. */
export const ImageMetadata = Schema.Struct({
  /** As it is looked at: after the camera's orientation has been applied. */
  dimensions: Dimensions,
  mimeType: Schema.String,
  /** Bytes of the input. */
  fileSize: Schema.Int,
  sizes: Schema.Array(RenditionInfo),
});
export type ImageMetadata = typeof ImageMetadata.Type;
