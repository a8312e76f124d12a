/**
 * CompleteMultipartUpload: the listed parts become one object, in one commit.
 *
 * Source: docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html
 */
import { Effect, Result } from "effect";
import { createHash } from "node:crypto";
import type { AwsError } from "../AwsError.ts";
import type { ObjectCall, ObjectOperation } from "./calls.ts";
import { readBareDocument, xmlResponse } from "./calls.ts";
import {
  type Checksum,
  checksumAlgorithms,
  checksumElement,
  checksumHeader,
  checksumOfParts,
} from "./Checksum.ts";
import { bareEtag } from "./conditions.ts";
import { requireUpload } from "./multipartUpload.ts";
import { invalidRequest, malformedXml, s3Error } from "./s3Error.ts";
import type { PartRow, UploadRow } from "./S3Tables.ts";
import { currentSecondMs, type S3World } from "./S3World.ts";
import { findPart, removeUpload } from "./Uploads.ts";
import { createdHeaders, judgeTarget, storeObject } from "./writeObject.ts";
import { childrenOf, element, parseXml, textOf, type XmlNode } from "./xml.ts";

/** All parts but the last (docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html). */
const partBytesMin = 5 * 1024 * 1024;

interface ListedPart {
  readonly partNumber: number;
  readonly etag: string;
  readonly checksum: string | undefined;
}

/** CompleteMultipartUpload. */
export const completeMultipartUpload: ObjectOperation = Effect.fnUntraced(function* (world, call) {
  const upload = yield* Effect.fromResult(requireUpload(world, call));
  yield* Effect.fromResult(judgeTarget(world, call));
  const root = yield* parseXml(yield* readBareDocument(call), "CompleteMultipartUpload");
  const listed = yield* Effect.forEach(childrenOf(root, "Part"), (node) => readPart(node, upload));
  if (listed.length === 0) return yield* malformedXml();
  const parts = yield* matchParts(world, upload, listed);
  const checksum = checksumOf(upload, parts);
  yield* checkDeclared(call, checksum, parts);
  const etag = etagOf(parts);
  const size = sizeOf(parts);
  const used = new Set(parts.map(({ file }) => file));
  const stored = yield* storeObject(world, call, {
    reason: "CompleteMultipartUpload",
    newBodies: [],
    version: {
      key: call.key,
      modifiedMs: yield* currentSecondMs,
      size,
      etag,
      meta: checksum === undefined ? upload.meta : { ...upload.meta, checksum },
      tags: upload.tags,
      body: parts.map((part) => ({ file: part.file, size: part.size, checksum: part.checksum })),
      multipart: true,
      isMarker: false,
    },
    // Another request may have completed the upload or replaced a part since the parts were looked up.
    check: () =>
      Result.flatMap(requireUpload(world, call), ({ uploadId }) => {
        const stale = parts.find(
          (part) => findPart(world.database, uploadId, part.partNumber)?.file !== part.file,
        );
        return stale === undefined
          ? Result.void
          : Result.fail(invalidPart(uploadId, { ...stale, checksum: stale.checksum }));
      }),
    also: (changes) => {
      const all = removeUpload(world.database, upload.uploadId);
      changes.garbage.push(...all.filter(({ file }) => !used.has(file)));
    },
  });
  return xmlResponse(
    element(
      "CompleteMultipartUploadResult",
      element("Location", `http://${call.headers["host"] ?? "localhost"}${call.rawPath}`),
      element("Bucket", call.bucket),
      element("Key", call.key),
      element("ETag", `"${etag}"`),
      checksum === undefined
        ? undefined
        : element(checksumElement(checksum.algorithm), checksum.value),
      checksum === undefined ? undefined : element("ChecksumType", checksum.type),
    ),
    createdHeaders(stored),
  );
});

const readPart = (node: XmlNode, upload: UploadRow): Effect.Effect<ListedPart, AwsError> => {
  const number = textOf(node, "PartNumber")?.trim() ?? "";
  const etag = textOf(node, "ETag");
  if (!/^\d{1,5}$/u.test(number) || etag === undefined) return Effect.fail(malformedXml());
  const checksum =
    upload.algorithm === null ? undefined : textOf(node, checksumElement(upload.algorithm));
  return Effect.succeed({ partNumber: Number(number), etag: bareEtag(etag), checksum });
};

const invalidPart = (uploadId: string, part: ListedPart): AwsError =>
  s3Error(
    400,
    "InvalidPart",
    "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
    { UploadId: uploadId, PartNumber: String(part.partNumber), ETag: part.etag },
  );

const matchParts = Effect.fnUntraced(function* (
  world: S3World,
  upload: UploadRow,
  listed: ReadonlyArray<ListedPart>,
): Effect.fn.Return<ReadonlyArray<PartRow>, AwsError> {
  const parts: Array<PartRow> = [];
  let previous = 0;
  for (const part of listed) {
    if (part.partNumber <= previous) {
      return yield* s3Error(
        400,
        "InvalidPartOrder",
        "The list of parts was not in ascending order. Parts must be ordered by part number.",
        { UploadId: upload.uploadId },
      );
    }
    previous = part.partNumber;
    const row = findPart(world.database, upload.uploadId, part.partNumber);
    if (row === undefined || row.etag !== part.etag) {
      return yield* invalidPart(upload.uploadId, part);
    }
    if (part.checksum === undefined) {
      yield* checkOmitted(upload, part);
    } else if (part.checksum !== row.checksum) {
      return yield* invalidPart(upload.uploadId, part);
    }
    parts.push(row);
  }
  for (const part of parts.slice(0, -1)) {
    if (part.size < partBytesMin) {
      return yield* s3Error(
        400,
        "EntityTooSmall",
        "Your proposed upload is smaller than the minimum allowed size",
        {
          ProposedSize: String(part.size),
          MinSizeAllowed: String(partBytesMin),
          PartNumber: String(part.partNumber),
          ETag: part.etag,
        },
      );
    }
  }
  return parts;
});

/**
 * S3 wants the checksum of each part again for composite uploads. CRC32 is let off: SDKs choose it by default when the
 * caller said nothing about checksums, and such callers list parts by entity tag alone.
 */
const checkOmitted = (upload: UploadRow, part: ListedPart): Effect.Effect<void, AwsError> =>
  upload.algorithm === null || upload.checksumType !== "COMPOSITE" || upload.algorithm === "CRC32"
    ? Effect.void
    : Effect.fail(
        invalidRequest(
          `The upload was created using a ${upload.algorithm.toLowerCase()} checksum. The complete request must include the checksum for each part. It was missing for part ${part.partNumber} in the request.`,
        ),
      );

/** An upload without an algorithm gets CRC64NVME, as long as all its parts have one. */
const checksumOf = (upload: UploadRow, parts: ReadonlyArray<PartRow>): Checksum | undefined => {
  const algorithm = upload.algorithm ?? "CRC64NVME";
  if (parts.some((part) => part.algorithm !== algorithm)) return undefined;
  return checksumOfParts(
    algorithm,
    upload.checksumType ?? "FULL_OBJECT",
    parts.map((part) => ({ value: part.checksum, size: part.size })),
  );
};

/** The checksum and the size that the client expects of the whole object. */
const checkDeclared = (
  call: ObjectCall,
  checksum: Checksum | undefined,
  parts: ReadonlyArray<PartRow>,
): Effect.Effect<void, AwsError> => {
  for (const algorithm of checksumAlgorithms) {
    const value = call.headers[checksumHeader(algorithm)];
    if (value === undefined) continue;
    if (algorithm !== checksum?.algorithm) {
      return Effect.fail(
        invalidRequest(
          `Checksum Type mismatch occurred, expected checksum Type: ${checksum?.algorithm.toLowerCase() ?? "null"}, actual checksum Type: ${algorithm.toLowerCase()}`,
        ),
      );
    }
    const [bare] = checksum.value.split("-");
    if (value !== checksum.value && value !== bare) {
      return Effect.fail(
        s3Error(
          400,
          "BadDigest",
          `The ${algorithm.toLowerCase()} you specified did not match the calculated checksum.`,
        ),
      );
    }
  }
  const type = call.headers["x-amz-checksum-type"];
  if (type !== undefined && checksum !== undefined && type !== checksum.type) {
    return Effect.fail(
      invalidRequest(
        `The upload was created using the ${checksum.type} checksum mode. The complete request must use the same checksum mode.`,
      ),
    );
  }
  const expectedBytes = call.headers["x-amz-mp-object-size"];
  return expectedBytes === undefined || Number(expectedBytes) === sizeOf(parts)
    ? Effect.void
    : Effect.fail(
        invalidRequest(
          `The provided 'x-amz-mp-object-size' header value ${expectedBytes} does not match what was computed: ${sizeOf(parts)}`,
        ),
      );
};

const sizeOf = (parts: ReadonlyArray<PartRow>): number =>
  parts.reduce((sum, part) => sum + part.size, 0);

const etagOf = (parts: ReadonlyArray<PartRow>): string => {
  const hash = createHash("md5");
  for (const part of parts) hash.update(Buffer.from(part.etag, "hex"));
  return `${hash.digest("hex")}-${parts.length}`;
};
