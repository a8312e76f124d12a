/**
 * Takes in a request body: unwraps `aws-chunked`, runs all digests in one pass, holds them to what the client declared.
 *
 * Memory stays at one chunk whatever the size of the body.
 *
 * Fails:  BadDigest - Content-MD5 or a checksum differs;  XAmzContentSHA256Mismatch - the signed hash differs
 *         IncompleteBody - the framing or the declared length does not hold
 *         InvalidDigest, InvalidRequest - a declared digest is malformed
 */
import { Effect, Result, Stream } from "effect";
import { createHash } from "node:crypto";
import type { AwsError } from "../AwsError.ts";
import type { AuthenticatedCall } from "./authenticate.ts";
import { AwsChunkedDecoder } from "./AwsChunked.ts";
import {
  type Checksum,
  type ChecksumAlgorithm,
  checksumAlgorithm,
  checksumAlgorithms,
  checksumBytes,
  checksumHeader,
  startChecksum,
} from "./Checksum.ts";
import { invalidRequest, notImplemented, s3Error } from "./s3Error.ts";

/** The digests that a client declared for its body. */
export interface DeclaredDigests {
  readonly contentMd5: string | undefined;
  readonly checksum:
    | {
        readonly algorithm: ChecksumAlgorithm;
        /** Missing when the value follows in the trailer. */
        readonly value: string | undefined;
      }
    | undefined;
}

/** A body that was taken in and found right. */
export interface ReceivedBody {
  readonly size: number;
  readonly md5: Buffer;
  readonly checksum: Checksum;
}

/** Reads the declared digests of a request and refuses malformed or contradictory ones. */
export const declaredDigests = Effect.fnUntraced(function* (
  headers: Readonly<Record<string, string>>,
): Effect.fn.Return<DeclaredDigests, AwsError> {
  const contentMd5 = headers["content-md5"];
  if (contentMd5 !== undefined && !isBase64Of(contentMd5, 16)) {
    return yield* s3Error(400, "InvalidDigest", "The Content-MD5 you specified was invalid.", {
      "Content-MD5": contentMd5,
    });
  }
  const inHeader = checksumAlgorithms.filter(
    (algorithm) => headers[checksumHeader(algorithm)] !== undefined,
  );
  const trailer = yield* trailerAlgorithm(headers["x-amz-trailer"]);
  const all = trailer === undefined ? inHeader : [...inHeader, trailer];
  if (all.length > 1) {
    return yield* invalidRequest(
      "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.",
    );
  }
  const [algorithm] = all;
  yield* checkSdkAlgorithm(headers["x-amz-sdk-checksum-algorithm"], algorithm);
  if (algorithm === undefined) return { contentMd5, checksum: undefined };
  const value = headers[checksumHeader(algorithm)];
  if (value !== undefined && !isBase64Of(value, checksumBytes[algorithm])) {
    return yield* invalidRequest(`Value for ${checksumHeader(algorithm)} header is invalid.`);
  }
  return { contentMd5, checksum: { algorithm, value } };
});

const trailerAlgorithm = (
  header: string | undefined,
): Effect.Effect<ChecksumAlgorithm | undefined, AwsError> => {
  if (header === undefined) return Effect.succeed(header);
  const prefix = "x-amz-checksum-";
  const name = header.trim().toLowerCase();
  const algorithm = name.startsWith(prefix)
    ? checksumAlgorithm(name.slice(prefix.length))
    : undefined;
  return algorithm === undefined
    ? Effect.fail(
        invalidRequest(
          `The value specified in the x-amz-trailer header is not supported: ${header}`,
        ),
      )
    : Effect.succeed(algorithm);
};

const checkSdkAlgorithm = (
  declared: string | undefined,
  found: ChecksumAlgorithm | undefined,
): Effect.Effect<void, AwsError> => {
  if (declared === undefined) return Effect.void;
  const algorithm = checksumAlgorithm(declared);
  if (algorithm === undefined) {
    return Effect.fail(notImplemented("upload", `x-amz-sdk-checksum-algorithm: ${declared}`));
  }
  if (found === undefined) {
    return Effect.fail(
      invalidRequest(
        "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.",
      ),
    );
  }
  return algorithm === found
    ? Effect.void
    : Effect.fail(invalidRequest("Value for x-amz-sdk-checksum-algorithm header is invalid."));
};

const isBase64Of = (text: string, bytes: number): boolean => {
  const decoded = Buffer.from(text, "base64");
  return decoded.byteLength === bytes && decoded.toString("base64") === text;
};

/**
 * Streams the body into `write` and gives its digests once all of them hold. Without a declared checksum the body gets
 * `fallback`, as S3 adds one of its own.
 */
export const receiveBody = Effect.fnUntraced(function* (
  call: AuthenticatedCall,
  declared: DeclaredDigests,
  options: {
    readonly fallback: ChecksumAlgorithm;
    readonly write: (bytes: Uint8Array) => Effect.Effect<void, AwsError>;
  },
): Effect.fn.Return<ReceivedBody, AwsError> {
  const { chunked, sha256 } = call.protection;
  const algorithm = declared.checksum?.algorithm ?? options.fallback;
  const md5 = createHash("md5");
  const checksum = startChecksum(algorithm);
  const signed = sha256 === undefined ? undefined : createHash("sha256");
  const decoder =
    chunked === undefined
      ? undefined
      : new AwsChunkedDecoder(chunked.signer, chunked.signedTrailer);
  let size = 0;
  const take = (bytes: Uint8Array) => {
    size += bytes.byteLength;
    md5.update(bytes);
    checksum.update(bytes);
    signed?.update(bytes);
    return options.write(bytes);
  };
  yield* Stream.runForEach(call.body, (bytes) => {
    if (decoder === undefined) return take(bytes);
    return Effect.flatMap(Effect.fromResult(decoder.feed(bytes)), (pieces) =>
      Effect.forEach(pieces, take, { discard: true }),
    );
  });
  if (decoder !== undefined) {
    yield* Effect.fromResult(decoder.finish());
    yield* checkDecodedLength(call.headers["x-amz-decoded-content-length"], size);
  }
  if (signed !== undefined && signed.digest("hex") !== sha256) {
    return yield* s3Error(
      400,
      "XAmzContentSHA256Mismatch",
      "The provided 'x-amz-content-sha256' header does not match what was computed.",
    );
  }
  const digests = { size, md5: md5.digest(), value: checksum.digest().toString("base64") };
  yield* Effect.fromResult(checkDigests(declared, decoder, digests));
  return {
    size,
    md5: digests.md5,
    checksum: { algorithm, type: "FULL_OBJECT", value: digests.value },
  };
});

const checkDecodedLength = (
  header: string | undefined,
  size: number,
): Effect.Effect<void, AwsError> =>
  header === undefined || Number(header) === size
    ? Effect.void
    : Effect.fail(
        s3Error(
          400,
          "IncompleteBody",
          `The request body terminated unexpectedly: ${size} bytes came, x-amz-decoded-content-length says ${header}`,
        ),
      );

const checkDigests = (
  declared: DeclaredDigests,
  decoder: AwsChunkedDecoder | undefined,
  digests: { readonly md5: Buffer; readonly value: string },
): Result.Result<void, AwsError> => {
  if (declared.contentMd5 !== undefined && declared.contentMd5 !== digests.md5.toString("base64")) {
    return Result.fail(
      s3Error(400, "BadDigest", "The Content-MD5 you specified did not match what we received.", {
        ExpectedDigest: declared.contentMd5,
        CalculatedDigest: digests.md5.toString("base64"),
      }),
    );
  }
  if (declared.checksum === undefined) return Result.void;
  const { algorithm } = declared.checksum;
  const expected = declared.checksum.value ?? decoder?.trailers.get(checksumHeader(algorithm));
  if (expected === undefined) {
    return Result.fail(
      s3Error(
        400,
        "MalformedTrailerError",
        `The request contained trailing data that was not well-formed: ${checksumHeader(algorithm)} is missing`,
      ),
    );
  }
  if (!isBase64Of(expected, checksumBytes[algorithm])) {
    return Result.fail(
      invalidRequest(`Value for ${checksumHeader(algorithm)} trailing header is invalid.`),
    );
  }
  return expected === digests.value
    ? Result.void
    : Result.fail(
        s3Error(
          400,
          "BadDigest",
          `The ${algorithm} you specified did not match the calculated checksum.`,
        ),
      );
};
