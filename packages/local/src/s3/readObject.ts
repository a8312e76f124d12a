/**
 * GetObject and HeadObject: conditions, ranges, parts, checksums and `response-*` overrides.
 *
 * Source: docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
 */
import { Effect, Stream } from "effect";
import type { AwsError } from "../AwsError.ts";
import type { AwsResponse } from "../http/AwsRequest.ts";
import { parseRange } from "./byteRange.ts";
import type { ObjectCall, ObjectOperation } from "./calls.ts";
import { emptyResponse } from "./calls.ts";
import { checksumHeader } from "./Checksum.ts";
import { bareEtag, judgeRead, readConditions } from "./conditions.ts";
import { findObject } from "./findObject.ts";
import { encodeMetadata, isHeaderText, notHeaderText } from "./headerText.ts";
import { invalidArgument, invalidRequest, preconditionFailed, s3Error } from "./s3Error.ts";
import type { BucketRow, VersionRow } from "./S3Tables.ts";
import { httpDate } from "./timestamps.ts";

interface Window {
  readonly status: 200 | 206;
  readonly from: number;
  readonly to: number;
  readonly headers: Readonly<Record<string, string>>;
}

const overrides: ReadonlyArray<readonly [parameter: string, header: string]> = [
  ["response-content-type", "content-type"],
  ["response-content-language", "content-language"],
  ["response-expires", "expires"],
  ["response-cache-control", "cache-control"],
  ["response-content-disposition", "content-disposition"],
  ["response-content-encoding", "content-encoding"],
];

/** GetObject; the body streams from the files of the version, which stay until it is sent. */
export const getObject: ObjectOperation = Effect.fnUntraced(function* (world, call) {
  const found = yield* findObject(world, call);
  if ("answer" in found) return found.answer;
  const { bucket, version } = found;
  const head = yield* openRead(call, bucket, version);
  if ("answer" in head) return head.answer;
  const body = Stream.suspend(() => {
    const release = world.bodies.hold(version.body);
    return Stream.ensuring(
      world.bodies.read(version.body, head.window.from, head.window.to),
      Effect.sync(release),
    );
  });
  return { status: head.window.status, headers: head.headers, body };
});

/** HeadObject: the headers of the same GET. */
export const headObject: ObjectOperation = Effect.fnUntraced(function* (world, call) {
  const found = yield* findObject(world, call);
  if ("answer" in found) return found.answer;
  const head = yield* openRead(call, found.bucket, found.version);
  if ("answer" in head) return head.answer;
  return emptyResponse(head.window.status, head.headers);
});

const openRead = Effect.fnUntraced(function* (
  call: ObjectCall,
  bucket: BucketRow,
  version: VersionRow,
): Effect.fn.Return<
  | { readonly window: Window; readonly headers: Readonly<Record<string, string>> }
  | { readonly answer: AwsResponse },
  AwsError
> {
  const verdict = judgeRead(readConditions(call.headers), version);
  if ("failed" in verdict) return yield* preconditionFailed(verdict.failed);
  if (verdict.outcome === "notModified") {
    return { answer: emptyResponse(304, validatorHeaders(bucket, version)) };
  }
  const window = yield* windowOf(call, version);
  const headers = {
    ...describeObject(bucket, version),
    ...(yield* overrideHeaders(call)),
    ...checksumHeaders(call, version, window),
    ...window.headers,
    "content-length": String(window.to - window.from),
  };
  return { window, headers };
});

const windowOf = (call: ObjectCall, version: VersionRow): Effect.Effect<Window, AwsError> => {
  const range = call.headers["range"];
  const partNumber = call.query.get("partNumber");
  if (partNumber !== undefined) {
    return range === undefined
      ? partWindow(partNumber, version)
      : Effect.fail(
          invalidRequest("Cannot specify both Range header and partNumber query parameter"),
        );
  }
  const outcome = parseRange(ifRangeHolds(call, version) ? range : undefined, version.size);
  if (outcome.kind === "whole") {
    return Effect.succeed({ status: 200, from: 0, to: version.size, headers: {} });
  }
  if (outcome.kind === "unsatisfiable") {
    return Effect.fail(
      s3Error(416, "InvalidRange", "The requested range is not satisfiable", {
        RangeRequested: range ?? "",
        ActualObjectSize: String(version.size),
      }),
    );
  }
  return Effect.succeed({
    status: 206,
    from: outcome.from,
    to: outcome.to,
    headers: contentRange(outcome.from, outcome.to, version.size),
  });
};

const ifRangeHolds = (call: ObjectCall, version: VersionRow): boolean => {
  const ifRange = call.headers["if-range"];
  return (
    ifRange === undefined ||
    bareEtag(ifRange) === version.etag ||
    ifRange === httpDate(version.modifiedMs)
  );
};

const partWindow = (text: string, version: VersionRow): Effect.Effect<Window, AwsError> => {
  const number = /^\d{1,5}$/u.test(text) ? Number(text) : 0;
  if (number < 1 || number > 10_000) {
    return Effect.fail(
      invalidArgument(
        "partNumber",
        text,
        "Part number must be an integer between 1 and 10000, inclusive",
      ),
    );
  }
  const count = version.multipart === 1 ? version.body.length : 1;
  if (number > count) {
    return Effect.fail(
      s3Error(416, "InvalidPartNumber", "The requested partnumber is not satisfiable", {
        PartNumberRequested: text,
        ActualPartCount: String(count),
      }),
    );
  }
  const before = version.body.slice(0, number - 1).reduce((sum, { size }) => sum + size, 0);
  const size = version.multipart === 1 ? (version.body[number - 1]?.size ?? 0) : version.size;
  return Effect.succeed({
    status: 206,
    from: before,
    to: before + size,
    headers: {
      ...(size === 0 ? {} : contentRange(before, before + size, version.size)),
      ...(version.multipart === 1 ? { "x-amz-mp-parts-count": String(count) } : {}),
    },
  });
};

const contentRange = (from: number, to: number, size: number) => ({
  "content-range": `bytes ${from}-${to - 1}/${size}`,
});

const validatorHeaders = (bucket: BucketRow, version: VersionRow): Record<string, string> => ({
  etag: `"${version.etag}"`,
  "last-modified": httpDate(version.modifiedMs),
  ...versionHeader(bucket, version.versionId),
});

/** `x-amz-version-id`, for buckets that have or had versioning. */
export const versionHeader = (
  bucket: BucketRow,
  versionId: string,
): Readonly<Record<string, string>> =>
  bucket.versioning === "" ? {} : { "x-amz-version-id": versionId };

const describeObject = (bucket: BucketRow, version: VersionRow): Record<string, string> => {
  const headers: Record<string, string> = {
    ...version.meta.headers,
    ...validatorHeaders(bucket, version),
    "accept-ranges": "bytes",
    "x-amz-server-side-encryption": "AES256",
  };
  for (const [name, value] of Object.entries(version.meta.user)) {
    headers[`x-amz-meta-${name}`] = encodeMetadata(value);
  }
  if (version.meta.storageClass !== "STANDARD") {
    headers["x-amz-storage-class"] = version.meta.storageClass;
  }
  if (version.tags.length > 0) headers["x-amz-tagging-count"] = String(version.tags.length);
  return headers;
};

const overrideHeaders = (
  call: ObjectCall,
): Effect.Effect<Readonly<Record<string, string>>, AwsError> => {
  const headers: Record<string, string> = {};
  for (const [parameter, header] of overrides) {
    const value = call.query.get(parameter);
    if (value === undefined) continue;
    if (!isHeaderText(value)) return Effect.fail(notHeaderText(parameter, value));
    headers[header] = value;
  }
  return Effect.succeed(headers);
};

/** A checksum of the whole says nothing about a range, so S3 gives none with one; a part has its own. */
const checksumHeaders = (
  call: ObjectCall,
  version: VersionRow,
  window: Window,
): Record<string, string> => {
  const { checksum } = version.meta;
  if (call.headers["x-amz-checksum-mode"]?.toUpperCase() !== "ENABLED" || checksum === undefined) {
    return {};
  }
  const whole = window.to - window.from === version.size;
  if (whole && version.multipart === 0) {
    return {
      [checksumHeader(checksum.algorithm)]: checksum.value,
      "x-amz-checksum-type": checksum.type,
    };
  }
  const partNumber = call.query.get("partNumber");
  if (partNumber !== undefined) {
    const value = version.body[Number(partNumber) - 1]?.checksum;
    return value === undefined
      ? {}
      : {
          [checksumHeader(checksum.algorithm)]: value,
          "x-amz-checksum-type": checksum.type,
        };
  }
  return window.status === 200
    ? {
        [checksumHeader(checksum.algorithm)]: checksum.value,
        "x-amz-checksum-type": checksum.type,
      }
    : {};
};
