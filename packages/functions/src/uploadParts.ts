/**
 * An upload in parts, for files that are too large for one form or for a line that breaks; pure.
 *
 * Every part's length is signed, so what comes together has exactly the size that was announced and checked.
 *
 * Source: Amazon S3 user guide, "Amazon S3 multipart upload limits"
 */
import type { PipelineTopology } from "@millrace/workflows/topology";
import { Schema } from "effect";
import { folderOf, pipelineNamed, UploadRefused, UploadRequest } from "./uploadForm.ts";

const mebibyte = 1024 ** 2;

/** Largest object in parts, in bytes: 5 TiB. */
const partsBytesMax = 5 * 1024 ** 4;

/** What a part has at least: few enough requests for a gigabyte, and little to send again. */
const partBytesMin = 16 * mebibyte;
const partsCountMax = 10_000;

/** URLs that are given out at once. */
export const urlsMax = 100;

const SizeBytes = Schema.Int.check(Schema.isGreaterThan(0));

/** Begins: as for a form, and how large the file is. */
export const PartsRequest = Schema.Struct({ ...UploadRequest.fields, sizeBytes: SizeBytes });

/** An upload that has begun. */
const begun = {
  pipeline: Schema.String,
  key: Schema.NonEmptyString.check(Schema.isMaxLength(1_024)),
  uploadId: Schema.NonEmptyString.check(Schema.isMaxLength(1_024)),
};

/** Asks for the URLs of further parts. */
export const UrlsRequest = Schema.Struct({
  ...begun,
  sizeBytes: SizeBytes,
  fromPart: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: partsCountMax })),
});

/** Puts the parts together; they have to have the announced size. */
export const CompleteRequest = Schema.Struct({ ...begun, sizeBytes: SizeBytes });

/** Gives the upload up. */
export const AbortRequest = Schema.Struct(begun);

export interface PartsPlan {
  readonly partBytes: number;
  readonly partsCount: number;
}

/** Parts of one size, the last one smaller: as many as S3 takes at most. */
export const planParts = (sizeBytes: number): PartsPlan => {
  const needed = Math.ceil(sizeBytes / partsCountMax / mebibyte) * mebibyte;
  const partBytes = Math.max(partBytesMin, needed);
  return { partBytes, partsCount: Math.ceil(sizeBytes / partBytes) };
};

/** The numbers and lengths of the parts from one on, as many as are given out at once. */
export const partsFrom = (
  sizeBytes: number,
  fromPart: number,
): ReadonlyArray<{ readonly partNumber: number; readonly bytes: number }> => {
  const { partBytes, partsCount } = planParts(sizeBytes);
  const count = Math.max(0, Math.min(urlsMax, partsCount - fromPart + 1));
  return Array.from({ length: count }, (_, index) => {
    const partNumber = fromPart + index;
    const bytes = partNumber < partsCount ? partBytes : sizeBytes - partBytes * (partsCount - 1);
    return { partNumber, bytes };
  });
};

/** Refuses a size that the pipeline does not take. */
export const refuseSize = (
  pipelines: ReadonlyArray<PipelineTopology>,
  name: string,
  sizeBytes: number,
): UploadRefused | undefined => {
  const found = pipelineNamed(pipelines, name);
  if (found instanceof UploadRefused) return found;
  const { sizeBytesMax = partsBytesMax, sizeBytesMin = 0 } = found.trigger;
  return sizeBytes < sizeBytesMin || sizeBytes > Math.min(sizeBytesMax, partsBytesMax)
    ? new UploadRefused({
        reason: `${name} takes files of ${sizeBytesMin} to ${Math.min(sizeBytesMax, partsBytesMax)} bytes, not ${sizeBytes}`,
      })
    : undefined;
};

/** The bucket of an upload that has begun, unless its key is none that this caller was given. */
export const bucketOfKey = (
  pipelines: ReadonlyArray<PipelineTopology>,
  { key, pipeline }: { readonly key: string; readonly pipeline: string },
  tenant: string | undefined,
): PipelineTopology["trigger"]["bucket"] | UploadRefused => {
  const found = pipelineNamed(pipelines, pipeline);
  if (found instanceof UploadRefused) return found;
  const folder = folderOf(found, tenant);
  const isOwn = key.startsWith(folder) && /^[0-9a-zA-Z-]+\/[^/]+$/.test(key.slice(folder.length));
  return isOwn
    ? found.trigger.bucket
    : new UploadRefused({ reason: `${key} is no upload of yours: its key begins with ${folder}` });
};
