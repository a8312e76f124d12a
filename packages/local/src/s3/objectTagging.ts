/** GetObjectTagging, PutObjectTagging, DeleteObjectTagging, and GetObjectAttributes. */
import { Effect, Result } from "effect";
import type { AwsError } from "../AwsError.ts";
import type { AwsResponse } from "../http/AwsRequest.ts";
import type { ObjectCall, ObjectOperation } from "./calls.ts";
import { emptyResponse, readDocument, xmlResponse } from "./calls.ts";
import { checksumElement } from "./Checksum.ts";
import { findObject } from "./findObject.ts";
import { objectTags } from "./objectEvent.ts";
import { versionHeader } from "./readObject.ts";
import { invalidArgument, invalidRequest, noSuchKey } from "./s3Error.ts";
import type { VersionRow } from "./S3Tables.ts";
import type { S3World } from "./S3World.ts";
import { parseTagging, type Tag, taggingXml } from "./tags.ts";
import { httpDate } from "./timestamps.ts";
import { findVersion, setTags } from "./Versions.ts";
import { element, optionalElement, type Xml } from "./xml.ts";

/** GetObjectTagging. */
export const getObjectTagging: ObjectOperation = Effect.fnUntraced(function* (world, call) {
  const found = yield* findObject(world, call);
  if ("answer" in found) return found.answer;
  const { bucket, version } = found;
  return xmlResponse(taggingXml(version.tags), versionHeader(bucket, version.versionId));
});

/** PutObjectTagging: replaces all tags of a version. */
export const putObjectTagging: ObjectOperation = Effect.fnUntraced(function* (world, call) {
  const tags = yield* parseTagging(yield* readDocument(call, { digestRequired: false }));
  return yield* replaceTags(world, call, { tags, status: 200 });
});

/** DeleteObjectTagging. */
export const deleteObjectTagging: ObjectOperation = (world, call) =>
  replaceTags(world, call, { tags: [], status: 204 });

const replaceTags = Effect.fnUntraced(function* (
  world: S3World,
  call: ObjectCall,
  change: { readonly tags: ReadonlyArray<Tag>; readonly status: 200 | 204 },
): Effect.fn.Return<AwsResponse, AwsError> {
  const found = yield* findObject(world, call);
  if ("answer" in found) return found.answer;
  const { bucket, version } = found;
  yield* world.commit((changes) => {
    if (findVersion(world.database, call.bucket, call.key, version.versionId) === undefined) {
      return Result.fail(noSuchKey(call.key));
    }
    setTags(world.database, version.seq, change.tags);
    changes.events.push(
      ...objectTags(
        { database: world.database, bucket, requestId: call.requestId },
        version,
        change.status === 200 ? "Object Tags Added" : "Object Tags Deleted",
      ),
    );
    return Result.void;
  });
  return emptyResponse(change.status, versionHeader(bucket, version.versionId));
});

const attributeNames = new Set(["ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"]);

/** GetObjectAttributes: the attributes that `x-amz-object-attributes` names. */
export const getObjectAttributes: ObjectOperation = Effect.fnUntraced(function* (world, call) {
  const header = call.headers["x-amz-object-attributes"] ?? "";
  const wanted = new Set(header.split(",").map((name) => name.trim()));
  if (header === "" || [...wanted].some((name) => !attributeNames.has(name))) {
    return yield* invalidArgument(
      "x-amz-object-attributes",
      header,
      "Invalid attribute name specified.",
    );
  }
  for (const name of ["x-amz-max-parts", "x-amz-part-number-marker"]) {
    const value = call.headers[name];
    if (value !== undefined && !/^\d{1,9}$/u.test(value)) {
      return yield* invalidRequest(`Value for ${name} header is invalid.`);
    }
  }
  const found = yield* findObject(world, call);
  if ("answer" in found) return found.answer;
  const { bucket, version } = found;
  const { checksum, storageClass } = version.meta;
  return xmlResponse(
    element(
      "GetObjectAttributesResponse",
      wanted.has("ETag") ? element("ETag", version.etag) : undefined,
      wanted.has("Checksum") && checksum !== undefined
        ? element(
            "Checksum",
            // S3 leaves the `-N` of a composite checksum out here.
            element(checksumElement(checksum.algorithm), checksum.value.split("-")[0]),
            element("ChecksumType", checksum.type),
          )
        : undefined,
      wanted.has("ObjectParts") && version.multipart === 1 ? partsXml(call, version) : undefined,
      wanted.has("StorageClass") ? element("StorageClass", storageClass) : undefined,
      wanted.has("ObjectSize") ? element("ObjectSize", version.size) : undefined,
    ),
    {
      "last-modified": httpDate(version.modifiedMs),
      ...versionHeader(bucket, version.versionId),
    },
  );
});

/** Part by part only for composite checksums, as S3 does; otherwise their number alone. */
const partsXml = (call: ObjectCall, version: VersionRow): Xml => {
  const { checksum } = version.meta;
  if (checksum?.type !== "COMPOSITE") {
    return element("ObjectParts", element("PartsCount", version.body.length));
  }
  const limit = Math.min(Number(call.headers["x-amz-max-parts"] ?? 1000), 1000);
  const marker = Number(call.headers["x-amz-part-number-marker"] ?? 0);
  const parts = version.body
    .map((part, index) => ({ ...part, number: index + 1 }))
    .filter(({ number }) => number > marker);
  const page = parts.slice(0, limit);
  return element(
    "ObjectParts",
    element("PartsCount", version.body.length),
    element("PartNumberMarker", marker),
    optionalElement("NextPartNumberMarker", page.at(-1)?.number),
    element("MaxParts", limit),
    element("IsTruncated", parts.length > page.length),
    ...page.map((part) =>
      element(
        "Part",
        element("PartNumber", part.number),
        element("Size", part.size),
        optionalElement(checksumElement(checksum.algorithm), part.checksum),
      ),
    ),
  );
};
