/**
 * Multipart uploads up to their completion: CreateMultipartUpload, UploadPart, UploadPartCopy, AbortMultipartUpload.
 *
 * Source: docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html
 */
import { Effect, Result } from "effect";
import { randomBytes } from "node:crypto";
import type { AwsError } from "../AwsError.ts";
import type { ObjectCall, ObjectOperation } from "./calls.ts";
import { emptyResponse, xmlResponse } from "./calls.ts";
import {
  allowsType,
  type ChecksumAlgorithm,
  checksumAlgorithm,
  checksumElement,
  checksumHeader,
  type ChecksumType,
} from "./Checksum.ts";
import { sourceHeaders } from "./copyObject.ts";
import { findCopySource, streamSource } from "./copySource.ts";
import { readObjectMeta, readTaggingHeader } from "./objectMeta.ts";
import {
  type DeclaredDigests,
  declaredDigests,
  type ReceivedBody,
  receiveBody,
} from "./receiveBody.ts";
import {
  invalidArgument,
  invalidRequest,
  noSuchUpload,
  notImplemented,
  s3Error,
} from "./s3Error.ts";
import type { UploadRow } from "./S3Tables.ts";
import { currentSecondMs, requireBucket, type S3World } from "./S3World.ts";
import { isoTime } from "./timestamps.ts";
import { findUpload, insertUpload, removeUpload, replacePart } from "./Uploads.ts";
import { checkLength } from "./writeObject.ts";
import { element } from "./xml.ts";

const partNumberMax = 10_000;

/** CreateMultipartUpload. */
export const createMultipartUpload: ObjectOperation = Effect.fnUntraced(function* (world, call) {
  yield* Effect.fromResult(requireBucket(world, call.bucket));
  const meta = yield* readObjectMeta(call.headers, "CreateMultipartUpload");
  const tags = yield* readTaggingHeader(call.headers);
  const checksum = yield* checksumPlan(call);
  const uploadId = randomBytes(48).toString("base64url");
  const createdMs = yield* currentSecondMs;
  yield* world.commit(() =>
    Result.map(requireBucket(world, call.bucket), () =>
      insertUpload(world.database, {
        uploadId,
        bucket: call.bucket,
        key: call.key,
        createdMs,
        meta,
        tags,
        algorithm: checksum.algorithm ?? null,
        checksumType: checksum.type ?? null,
      }),
    ),
  );
  return xmlResponse(
    element(
      "InitiateMultipartUploadResult",
      element("Bucket", call.bucket),
      element("Key", call.key),
      element("UploadId", uploadId),
    ),
    {
      "x-amz-server-side-encryption": "AES256",
      ...(checksum.algorithm === undefined
        ? {}
        : { "x-amz-checksum-algorithm": checksum.algorithm }),
      ...(checksum.type === undefined ? {} : { "x-amz-checksum-type": checksum.type }),
    },
  );
});

const checksumPlan = Effect.fnUntraced(function* (
  call: ObjectCall,
): Effect.fn.Return<
  { readonly algorithm: ChecksumAlgorithm | undefined; readonly type: ChecksumType | undefined },
  AwsError
> {
  const askedAlgorithm = call.headers["x-amz-checksum-algorithm"];
  const askedType = call.headers["x-amz-checksum-type"]?.toUpperCase();
  if (askedType !== undefined && askedType !== "FULL_OBJECT" && askedType !== "COMPOSITE") {
    return yield* invalidRequest("Value for x-amz-checksum-type header is invalid.");
  }
  if (askedAlgorithm === undefined) {
    return askedType === undefined
      ? { algorithm: undefined, type: undefined }
      : yield* invalidRequest(
          "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.",
        );
  }
  const algorithm = checksumAlgorithm(askedAlgorithm);
  if (algorithm === undefined) {
    return yield* notImplemented(
      "CreateMultipartUpload",
      `x-amz-checksum-algorithm: ${askedAlgorithm}`,
    );
  }
  const type = askedType ?? (algorithm === "CRC64NVME" ? "FULL_OBJECT" : "COMPOSITE");
  if (!allowsType(algorithm, type)) {
    return yield* invalidRequest(
      `The ${type} checksum type cannot be used with the ${algorithm.toLowerCase()} checksum algorithm.`,
    );
  }
  return { algorithm, type };
});

/** UploadPart. */
export const uploadPart: ObjectOperation = Effect.fnUntraced(function* (world, call) {
  const partNumber = yield* partNumberOf(call);
  const upload = yield* Effect.fromResult(requireUpload(world, call));
  const declared = yield* declaredDigests(call.headers);
  yield* checkPartAlgorithm(upload, declared);
  yield* checkLength(call, "UploadPart");
  const part = yield* storePart(world, call, { upload, partNumber, declared });
  return emptyResponse(200, {
    etag: `"${part.etag}"`,
    "x-amz-server-side-encryption": "AES256",
    ...(declared.checksum === undefined && upload.algorithm === null
      ? {}
      : { [checksumHeader(part.received.checksum.algorithm)]: part.received.checksum.value }),
  });
}, Effect.scoped);

/** UploadPartCopy, of the whole source or of `x-amz-copy-source-range`. */
export const uploadPartCopy: ObjectOperation = Effect.fnUntraced(function* (world, call) {
  const partNumber = yield* partNumberOf(call);
  const upload = yield* Effect.fromResult(requireUpload(world, call));
  const source = yield* findCopySource(world, call);
  const range = yield* copyRange(call.headers["x-amz-copy-source-range"], source.version.size);
  const part = yield* storePart(
    world,
    {
      ...call,
      body: streamSource(world, source, range.from, range.to),
      protection: { sha256: undefined, chunked: undefined },
    },
    { upload, partNumber, declared: { contentMd5: undefined, checksum: undefined } },
  );
  const { checksum } = part.received;
  return xmlResponse(
    element(
      "CopyPartResult",
      element("ETag", `"${part.etag}"`),
      element("LastModified", isoTime(part.modifiedMs)),
      upload.algorithm === null
        ? undefined
        : element(checksumElement(checksum.algorithm), checksum.value),
    ),
    { "x-amz-server-side-encryption": "AES256", ...sourceHeaders(source) },
  );
}, Effect.scoped);

/** AbortMultipartUpload. */
export const abortMultipartUpload: ObjectOperation = Effect.fnUntraced(function* (world, call) {
  yield* world.commit((changes) =>
    Result.map(requireUpload(world, call), ({ uploadId }) => {
      changes.garbage.push(...removeUpload(world.database, uploadId));
    }),
  );
  return emptyResponse(204);
});

/** The upload that the call names. */
export const requireUpload = (
  world: S3World,
  call: ObjectCall,
): Result.Result<UploadRow, AwsError> =>
  Result.flatMap(requireBucket(world, call.bucket), () => {
    const uploadId = call.query.get("uploadId") ?? "";
    const upload = findUpload(world.database, call.bucket, call.key, uploadId);
    return upload === undefined ? Result.fail(noSuchUpload(uploadId)) : Result.succeed(upload);
  });

const partNumberOf = (call: ObjectCall): Effect.Effect<number, AwsError> => {
  const text = call.query.get("partNumber") ?? "";
  const partNumber = /^\d{1,5}$/u.test(text) ? Number(text) : 0;
  return partNumber >= 1 && partNumber <= partNumberMax
    ? Effect.succeed(partNumber)
    : Effect.fail(
        invalidArgument(
          "partNumber",
          text,
          "Part number must be an integer between 1 and 10000, inclusive",
        ),
      );
};

/** A part must carry the checksum that the upload was created with; for a full-object one S3 computes it itself. */
const checkPartAlgorithm = (
  upload: UploadRow,
  declared: DeclaredDigests,
): Effect.Effect<void, AwsError> => {
  if (upload.algorithm === null) return Effect.void;
  const actual = declared.checksum?.algorithm;
  if (actual === upload.algorithm) return Effect.void;
  if (actual === undefined && upload.checksumType === "FULL_OBJECT") return Effect.void;
  return Effect.fail(
    invalidRequest(
      `Checksum Type mismatch occurred, expected checksum Type: ${upload.algorithm.toLowerCase()}, actual checksum Type: ${actual?.toLowerCase() ?? "null"}`,
    ),
  );
};

const copyRange = (
  header: string | undefined,
  size: number,
): Effect.Effect<{ readonly from: number; readonly to: number }, AwsError> => {
  if (header === undefined) return Effect.succeed({ from: 0, to: size });
  const match = /^bytes=(\d+)-(\d+)$/u.exec(header);
  const from = Number(match?.[1]);
  const last = Number(match?.[2]);
  if (match === null || last < from) {
    return Effect.fail(
      invalidArgument(
        "x-amz-copy-source-range",
        header,
        "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy",
      ),
    );
  }
  return last >= size
    ? Effect.fail(
        s3Error(
          400,
          "InvalidArgument",
          `Range specified is not valid for source object of size: ${size}`,
        ),
      )
    : Effect.succeed({ from, to: last + 1 });
};

const storePart = Effect.fnUntraced(function* (
  world: S3World,
  call: ObjectCall,
  part: {
    readonly upload: UploadRow;
    readonly partNumber: number;
    readonly declared: DeclaredDigests;
  },
) {
  const { declared, partNumber, upload } = part;
  const body = yield* world.bodies.create;
  // Without an algorithm of its own the object gets CRC64NVME, which is combined from those of the parts.
  const wanted = upload.algorithm ?? "CRC64NVME";
  const received: ReceivedBody = yield* receiveBody(call, declared, {
    fallback: wanted,
    write: body.write,
  });
  yield* body.complete;
  const etag = received.md5.toString("hex");
  const modifiedMs = yield* currentSecondMs;
  yield* world.commit((changes) =>
    Result.map(requireUpload(world, call), () => {
      const replaced = replacePart(world.database, {
        uploadId: upload.uploadId,
        partNumber,
        file: body.file,
        size: received.size,
        etag,
        algorithm: received.checksum.algorithm,
        checksum: received.checksum.value,
        modifiedMs,
      });
      if (replaced !== undefined) changes.garbage.push(replaced);
      body.keep();
    }),
  );
  return { etag, modifiedMs, received };
});
