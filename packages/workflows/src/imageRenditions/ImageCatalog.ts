/**
 * The catalog of images: one record per object key, for those who show them (requirement D4.6).
 *
 * It is a projection: writing it again gives the same record. Records expire; `expiresAt` is also in the record, because
 * the store deletes late.
 */
import { Context, type Effect, Schema } from "effect";
import { Dimensions, RenditionInfo } from "../images/ImageMetadata.ts";

/** 90 days, in seconds (requirement D4.6). */
export const imageLifeSeconds = 90 * 24 * 60 * 60;

/**
 * One image.
 *
 * Shape:  `imageId` is the object key; `processedAt` ISO 8601 in UTC
 * Units:  `expiresAt` seconds since the Unix epoch
 */
export const ImageRecord = Schema.Struct({
  imageId: Schema.String,
  bucket: Schema.String,
  version: Schema.String,
  status: Schema.Literals(["processed", "failed"]),
  sizes: Schema.Array(Schema.Struct({ ...RenditionInfo.fields, key: Schema.String })),
  fileSize: Schema.Int,
  mimeType: Schema.optionalKey(Schema.String),
  dimensions: Schema.optionalKey(Dimensions),
  /** Why it failed. */
  reason: Schema.optionalKey(Schema.String),
  processedAt: Schema.String,
  expiresAt: Schema.Int,
});
export type ImageRecord = typeof ImageRecord.Type;

/** The catalog did not take the record. */
export class CatalogUnavailable extends Schema.TaggedError<CatalogUnavailable>()(
  "CatalogUnavailable",
  { imageId: Schema.String, cause: Schema.Defect() },
) {
  readonly failureClass = "transient";
  override get message(): string {
    return `the image catalog did not take the record of ${this.imageId}: try again later`;
  }
}

export class ImageCatalog extends Context.Service<
  ImageCatalog,
  { readonly put: (record: ImageRecord) => Effect.Effect<void, CatalogUnavailable> }
>()("@millrace/workflows/imageRenditions/ImageCatalog") {}
