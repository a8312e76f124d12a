/**
 * ListParts and ListMultipartUploads.
 *
 * Source: docs.aws.amazon.com/AmazonS3/latest/API/API_ListParts.html, API_ListMultipartUploads.html
 */
import { Effect } from "effect";
import type { BucketOperation, ObjectOperation } from "./calls.ts";
import { xmlResponse } from "./calls.ts";
import { checksumElement } from "./Checksum.ts";
import { ownerXml } from "./listObjects.ts";
import { commonPrefixOf, readEncoding, readPageSize } from "./listParameters.ts";
import { requireUpload } from "./multipartUpload.ts";
import { invalidArgument } from "./s3Error.ts";
import type { PartRow, UploadRow } from "./S3Tables.ts";
import { requireBucket } from "./S3World.ts";
import { isoTime } from "./timestamps.ts";
import { partsAfter, uploadsOf } from "./Uploads.ts";
import { element, optionalElement, type Xml } from "./xml.ts";

/** ListParts. */
export const listParts: ObjectOperation = Effect.fnUntraced(function* (world, call) {
  const upload = yield* Effect.fromResult(requireUpload(world, call));
  const limit = yield* readPageSize(call, "max-parts");
  const { encode, name: encoding } = yield* readEncoding(call);
  const markerText = call.query.get("part-number-marker") ?? "";
  if (!/^\d{0,9}$/u.test(markerText)) {
    return yield* invalidArgument(
      "part-number-marker",
      markerText,
      "Provided part-number-marker not an integer or within integer range",
    );
  }
  const marker = Number(markerText);
  const found = partsAfter(world.database, upload.uploadId, marker, limit + 1);
  const parts = found.slice(0, limit);
  const isTruncated = limit > 0 && found.length > limit;
  return xmlResponse(
    element(
      "ListPartsResult",
      element("Bucket", call.bucket),
      optionalElement("EncodingType", encoding),
      element("Key", encode(call.key)),
      element("UploadId", upload.uploadId),
      ownerXml("Initiator"),
      ownerXml(),
      element("StorageClass", upload.meta.storageClass),
      element("PartNumberMarker", marker),
      isTruncated ? optionalElement("NextPartNumberMarker", parts.at(-1)?.partNumber) : undefined,
      element("MaxParts", limit),
      element("IsTruncated", isTruncated),
      upload.algorithm === null ? undefined : element("ChecksumAlgorithm", upload.algorithm),
      upload.checksumType === null ? undefined : element("ChecksumType", upload.checksumType),
      ...parts.map((part) => partXml(part, upload)),
    ),
  );
});

const partXml = (part: PartRow, upload: UploadRow): Xml =>
  element(
    "Part",
    element("PartNumber", part.partNumber),
    element("LastModified", isoTime(part.modifiedMs)),
    element("ETag", `"${part.etag}"`),
    element("Size", part.size),
    upload.algorithm === null ? undefined : element(checksumElement(part.algorithm), part.checksum),
  );

/** ListMultipartUploads. */
export const listMultipartUploads: BucketOperation = Effect.fnUntraced(function* (world, call) {
  yield* Effect.fromResult(requireBucket(world, call.bucket));
  const limit = yield* readPageSize(call, "max-uploads");
  const { encode, name: encoding } = yield* readEncoding(call);
  const prefix = call.query.get("prefix") ?? "";
  const delimiter = call.query.get("delimiter") ?? "";
  const keyMarker = call.query.get("key-marker") ?? "";
  const uploadIdMarker = keyMarker === "" ? "" : (call.query.get("upload-id-marker") ?? "");
  const all = uploadsOf(world.database, call.bucket, prefix);
  const entries = uniqueEntries(afterMarker(all, keyMarker, uploadIdMarker), (upload) =>
    commonPrefixOf(upload.key, prefix, delimiter),
  ).filter((entry) => typeof entry !== "string" || entry !== keyMarker);
  const page = entries.slice(0, limit);
  const isTruncated = limit > 0 && entries.length > limit;
  const last = isTruncated ? page.at(-1) : undefined;
  return xmlResponse(
    element(
      "ListMultipartUploadsResult",
      element("Bucket", call.bucket),
      element("KeyMarker", encode(keyMarker)),
      element("UploadIdMarker", uploadIdMarker),
      last === undefined
        ? undefined
        : element("NextKeyMarker", encode(typeof last === "string" ? last : last.key)),
      last === undefined
        ? undefined
        : element("NextUploadIdMarker", typeof last === "string" ? "" : last.uploadId),
      element("Prefix", encode(prefix)),
      delimiter === "" ? undefined : element("Delimiter", encode(delimiter)),
      optionalElement("EncodingType", encoding),
      element("MaxUploads", limit),
      element("IsTruncated", isTruncated),
      ...page.map((entry) =>
        typeof entry === "string"
          ? element("CommonPrefixes", element("Prefix", encode(entry)))
          : uploadXml(entry, encode),
      ),
    ),
  );
});

const uploadXml = (upload: UploadRow, encode: (text: string) => string): Xml =>
  element(
    "Upload",
    element("Key", encode(upload.key)),
    element("UploadId", upload.uploadId),
    ownerXml("Initiator"),
    ownerXml(),
    element("StorageClass", upload.meta.storageClass),
    element("Initiated", isoTime(upload.createdMs)),
    upload.algorithm === null ? undefined : element("ChecksumAlgorithm", upload.algorithm),
    upload.checksumType === null ? undefined : element("ChecksumType", upload.checksumType),
  );

/** Uploads of later keys, and of the marker's own key those that follow the marked upload. */
const afterMarker = (
  uploads: ReadonlyArray<UploadRow>,
  keyMarker: string,
  uploadIdMarker: string,
): ReadonlyArray<UploadRow> => {
  if (keyMarker === "") return uploads;
  const marker = Buffer.from(keyMarker);
  const marked = uploads.findIndex(
    ({ key, uploadId }) => key === keyMarker && uploadId === uploadIdMarker,
  );
  return uploads.filter(
    ({ key }, index) =>
      Buffer.compare(Buffer.from(key), marker) > 0 ||
      (key === keyMarker && marked >= 0 && index > marked),
  );
};

const uniqueEntries = (
  uploads: ReadonlyArray<UploadRow>,
  groupOf: (upload: UploadRow) => string | undefined,
): ReadonlyArray<UploadRow | string> => {
  const entries: Array<UploadRow | string> = [];
  for (const upload of uploads) {
    const group = groupOf(upload);
    if (group === undefined) entries.push(upload);
    else if (entries.at(-1) !== group) entries.push(group);
  }
  return entries;
};
