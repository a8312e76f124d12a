/**
 * What the upload API asks of S3: it signs, it begins, it puts together; bytes never come here.
 */
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListPartsCommand,
  type Part,
  S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { createPresignedPost } from "@aws-sdk/s3-presigned-post";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import type { BucketName } from "@millrace/workflows/topology";
import { Context, Effect, Layer, Schema } from "effect";
import { UploadEnvironment } from "./Environment.ts";
import { UploadRefused, type UploadForm } from "./uploadForm.ts";
import { partsFrom } from "./uploadParts.ts";

/** How long a form may be used, in seconds. */
export const formSeconds = 300;

/** How long the URL of a part may be used, in seconds: a slow line has to get its part through. */
export const partSeconds = 3_600;

/** S3 did not do what was asked; the caller may ask again. */
export class UploadsUnavailable extends Schema.TaggedError<UploadsUnavailable>()(
  "UploadsUnavailable",
  { operation: Schema.String, cause: Schema.Defect() },
) {
  override get message(): string {
    return `${this.operation} did not succeed; ask again`;
  }
}

/** One upload in parts. */
export interface BegunUpload {
  readonly bucket: BucketName;
  readonly key: string;
  readonly uploadId: string;
}

export class Storage extends Context.Service<Storage, { readonly client: S3Client }>()(
  "@millrace/functions/uploadStorage/Storage",
) {}

export const layerStorage = Layer.effect(
  Storage,
  Effect.map(
    Effect.acquireRelease(
      // A checksum that the client adds by itself would have to be sent by whoever uses the URL.
      Effect.sync(() => new S3Client({ requestChecksumCalculation: "WHEN_REQUIRED" })),
      (client) => Effect.sync(() => client.destroy()),
    ),
    (client) => ({ client }),
  ),
);

const noSuchUpload = ({ key }: { readonly key: string }) =>
  new UploadRefused({ reason: `there is no upload in parts of ${key} under that id` });

/** Asks S3, with the bucket's real name; an upload that is over is the caller's error, anything else may pass. */
const ask = <A>(
  operation: string,
  of: { readonly bucket: BucketName; readonly key: string },
  run: (client: S3Client, where: { readonly Bucket: string; readonly Key: string }) => Promise<A>,
) =>
  Effect.gen(function* () {
    const { client } = yield* Storage;
    const { buckets } = yield* UploadEnvironment;
    return yield* Effect.tryPromise({
      try: () => run(client, { Bucket: buckets[of.bucket], Key: of.key }),
      catch: (cause) =>
        cause instanceof Error && cause.name === "NoSuchUpload"
          ? noSuchUpload(of)
          : new UploadsUnavailable({ operation, cause }),
    });
  });

/** S3 refuses whatever does not fit: another key, another type, another size, another bucket. */
export const signForm = (form: UploadForm) =>
  ask("signing a form", form, (client, { Bucket, Key }) =>
    createPresignedPost(client, {
      Bucket,
      Key,
      Expires: formSeconds,
      Fields: { "Content-Type": form.contentType },
      Conditions: [
        ["content-length-range", form.bytesMin, form.bytesMax],
        ["eq", "$Content-Type", form.contentType],
      ],
    }),
  );

export const beginParts = (form: UploadForm) =>
  Effect.map(
    ask("beginning an upload", form, (client, where) =>
      client.send(new CreateMultipartUploadCommand({ ...where, ContentType: form.contentType })),
    ),
    ({ UploadId = "" }) => UploadId,
  );

/** The length is signed, too: a part of another length is refused. */
export const signParts = (upload: BegunUpload, sizeBytes: number, fromPart: number) =>
  Effect.forEach(partsFrom(sizeBytes, fromPart), ({ bytes, partNumber }) =>
    Effect.map(
      ask("signing a part", upload, (client, where) =>
        getSignedUrl(
          client,
          new UploadPartCommand({
            ...where,
            UploadId: upload.uploadId,
            PartNumber: partNumber,
            ContentLength: bytes,
          }),
          { expiresIn: partSeconds, signableHeaders: new Set(["content-length", "host"]) },
        ),
      ),
      (url) => ({ partNumber, bytes, url }),
    ),
  );

const listParts = Effect.fnUntraced(function* (upload: BegunUpload) {
  const parts: Array<Part> = [];
  let marker: string | undefined;
  do {
    const page = yield* ask("listing parts", upload, (client, where) =>
      client.send(
        new ListPartsCommand({ ...where, UploadId: upload.uploadId, PartNumberMarker: marker }),
      ),
    );
    parts.push(...(page.Parts ?? []));
    marker = page.IsTruncated === true ? page.NextPartNumberMarker : undefined;
  } while (marker !== undefined);
  return parts;
});

/** Puts together what S3 has, when that is as much as was announced. */
export const completeParts = Effect.fnUntraced(function* (upload: BegunUpload, sizeBytes: number) {
  const parts = yield* listParts(upload);
  const came = parts.reduce((sum, { Size = 0 }) => sum + Size, 0);
  if (came !== sizeBytes) {
    return yield* new UploadRefused({
      reason: `${came} of ${sizeBytes} bytes have come, in ${parts.length} parts; send what is missing, or give the upload up`,
    });
  }
  yield* ask("putting an upload together", upload, (client, where) =>
    client.send(
      new CompleteMultipartUploadCommand({
        ...where,
        UploadId: upload.uploadId,
        MultipartUpload: {
          Parts: parts.map(({ ETag, PartNumber }) => ({ ETag, PartNumber })),
        },
      }),
    ),
  );
});

export const abortParts = (upload: BegunUpload) =>
  Effect.asVoid(
    ask("giving an upload up", upload, (client, where) =>
      client.send(new AbortMultipartUploadCommand({ ...where, UploadId: upload.uploadId })),
    ),
  );
