/**
 * One S3 request, read: which bucket and key it means, its query, its headers.
 *
 * A key is opaque text of at most 1,024 bytes. `../`, `//`, `+` and `%2B` stay what they are, because only the raw path
 * is read. Addressing is path style (`/bucket/key`) or virtual-host style (`bucket.localhost/key`).
 */
import { Effect, type Stream } from "effect";
import { randomBytes } from "node:crypto";
import type { AwsError } from "../AwsError.ts";
import type { AwsRequest } from "../http/AwsRequest.ts";
import { percentDecode } from "./percent.ts";
import { s3Error } from "./s3Error.ts";

export interface S3Call {
  readonly requestId: string;
  readonly method: string;
  readonly rawPath: string;
  /** Decoded path, as error documents name it. */
  readonly resource: string;
  readonly bucket: string | undefined;
  /** Missing at the level of a bucket. */
  readonly key: string | undefined;
  readonly query: ReadonlyMap<string, string>;
  /** Header names in lower case; in a presigned request also the `x-amz-*` parameters of the query. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Stream.Stream<Uint8Array, AwsError>;
}

/** S3's limit for a key in UTF-8 (docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html). */
const keyBytesMax = 1024;

export const makeRequestId = (): string => randomBytes(8).toString("hex").toUpperCase();

/** Reads bucket, key and query of a request; refuses paths that are not UTF-8 and keys that are too long. */
export const readCall = (request: AwsRequest, requestId: string): Effect.Effect<S3Call, AwsError> =>
  Effect.gen(function* () {
    const path = yield* decoded(request.rawPath);
    const hostBucket = virtualHostBucket(request.headers["host"] ?? "");
    const rest = path.slice(1);
    const slash = rest.indexOf("/");
    const bucket = hostBucket ?? (slash < 0 ? rest : rest.slice(0, slash));
    const key = hostBucket === undefined ? (slash < 0 ? "" : rest.slice(slash + 1)) : rest;
    const keyBytes = Buffer.byteLength(key);
    if (keyBytes > keyBytesMax) {
      return yield* s3Error(400, "KeyTooLongError", "Your key is too long", {
        Size: String(keyBytes),
        MaxSizeAllowed: String(keyBytesMax),
      });
    }
    return {
      requestId,
      method: request.method,
      rawPath: request.rawPath,
      resource: path,
      bucket: bucket === "" && key === "" ? undefined : bucket,
      key: key === "" ? undefined : key,
      query: new Map(yield* readQuery(request.rawQuery)),
      headers: request.headers,
      body: request.body,
    };
  });

const decoded = (text: string, plusIsSpace = false) => {
  const value = percentDecode(text, plusIsSpace);
  return value === undefined
    ? Effect.fail(s3Error(400, "InvalidURI", "Couldn't parse the specified URI."))
    : Effect.succeed(value);
};

/** The decoded pairs of a query string in their order, repeated names kept. */
export const readQuery = (
  rawQuery: string,
): Effect.Effect<ReadonlyArray<readonly [string, string]>, AwsError> =>
  Effect.forEach(
    rawQuery.split("&").filter((pair) => pair !== ""),
    (pair) => {
      const equals = pair.indexOf("=");
      return Effect.all([
        decoded(equals < 0 ? pair : pair.slice(0, equals), true),
        decoded(equals < 0 ? "" : pair.slice(equals + 1), true),
      ]);
    },
  );

/** `bucket.localhost` and `bucket.s3.localhost` name a bucket; `localhost`, `s3.localhost` and addresses do not. */
const virtualHostBucket = (host: string): string | undefined => {
  const match = /^(.+?)(?:\.s3)?\.localhost(?::\d+)?$/iu.exec(host);
  const bucket = match?.[1];
  return bucket === undefined || bucket.toLowerCase() === "s3" ? undefined : bucket;
};
