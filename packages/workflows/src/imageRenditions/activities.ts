/**
 * The side effects of ImageRenditions: reading the image, writing its renditions, keeping its record.
 */
import {
  Metrics,
  type ObjectCreated,
  ObjectStore,
  objectName,
  ReadFailure,
  WriteFailure,
} from "@millrace/core";
import { DateTime, Effect, Schema, Stream } from "effect";
import { Buckets } from "../Buckets.ts";
import { ImageFailure } from "../images/ImageFailure.ts";
import { ImageMetadata, RenditionInfo } from "../images/ImageMetadata.ts";
import { imageBytesMax, tooLarge } from "../images/openImage.ts";
import { type ImageOptions, renderRenditions } from "../images/renderRenditions.ts";
import { renditionKey } from "../images/renditionKey.ts";
import { openInput } from "../openInput.ts";
import { LoopStopped } from "../outputMetadata.ts";
import { pipelines } from "../topology.ts";
import {
  CatalogUnavailable,
  ImageCatalog,
  imageLifeSeconds,
  type ImageRecord,
} from "./ImageCatalog.ts";

/** Why an image cannot get its renditions. */
export const ImageObjectFailure = Schema.Union([
  ...ImageFailure.members,
  ...ReadFailure.members,
  ...WriteFailure.members,
  CatalogUnavailable,
  LoopStopped,
]);

/** The renditions as they lie in the clean bucket. */
export const Rendered = Schema.Struct({
  bucket: Schema.String,
  metadata: ImageMetadata,
  sizes: Schema.Array(Schema.Struct({ ...RenditionInfo.fields, key: Schema.String })),
});
export type Rendered = typeof Rendered.Type;

/** The whole object, in memory once: chunks are copied to where they belong as they come. */
const readWhole = <E>(body: Stream.Stream<Uint8Array, E>, sizeBytes: number) =>
  Effect.suspend(() => {
    const whole = Buffer.alloc(sizeBytes);
    let length = 0;
    return Stream.runForEach(body, (chunk) =>
      Effect.sync(() => {
        whole.set(chunk.subarray(0, sizeBytes - length), length);
        length = Math.min(sizeBytes, length + chunk.length);
      }),
    ).pipe(Effect.map(() => whole.subarray(0, length)));
  });

/** Reads the image, renders and writes all renditions. A second run writes the same objects again. */
export const render = Effect.fnUntraced(function* (object: ObjectCreated, options: ImageOptions) {
  const store = yield* ObjectStore;
  const { clean } = yield* Buckets;
  const source = objectName(object);
  if (object.sizeBytes > imageBytesMax) return yield* tooLarge(source, object.sizeBytes);
  const input = yield* openInput(object);
  const bytes = yield* readWhole(input.body, object.sizeBytes);
  const { metadata, renditions } = yield* renderRenditions(bytes, { ...options, source });
  const sizes = yield* Effect.forEach(
    renditions,
    Effect.fnUntraced(function* ({ bytes, ...info }) {
      const key = renditionKey({
        key: object.key,
        box: info.box,
        type: info.type,
        prefix: pipelines.imageRenditions.trigger.prefix,
      });
      yield* store.put(
        {
          bucket: clean,
          key,
          contentType: info.mimeType,
          metadata: input.metadata,
        },
        bytes,
      );
      return { ...info, key };
    }),
    { concurrency: 3 },
  );
  const bytesOut = sizes.reduce((sum, { fileSize }) => sum + fileSize, 0);
  yield* Metrics.countWork({ bytesIn: metadata.fileSize, bytesOut });
  return { bucket: clean, metadata, sizes };
}, Effect.scoped);

/** The record of an image at an instant: processed, or failed with its reason. */
export const imageRecord = (
  object: ObjectCreated,
  processedEpochMs: number,
  outcome: { readonly rendered: Rendered } | { readonly reason: string },
): ImageRecord => {
  const base = {
    imageId: object.key,
    bucket: object.bucket,
    version: object.versionId ?? object.etag,
    fileSize: object.sizeBytes,
    processedAt: DateTime.formatIso(DateTime.makeUnsafe(processedEpochMs)),
    expiresAt: Math.floor(processedEpochMs / 1_000) + imageLifeSeconds,
  };
  if ("reason" in outcome) {
    return { ...base, status: "failed", sizes: [], reason: outcome.reason };
  }
  const { metadata, sizes } = outcome.rendered;
  const { dimensions, mimeType } = metadata;
  return { ...base, status: "processed", sizes, mimeType, dimensions };
};

/** Puts the record into the catalog. */
export const catalog = (record: ImageRecord) => ImageCatalog.use((images) => images.put(record));
