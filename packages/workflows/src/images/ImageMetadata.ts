/**
 * What is known of a processed image (D4.6): the figures that its metadata row holds.
 */
import { Schema } from "effect";
import { RenditionType } from "./ImageType.ts";

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
