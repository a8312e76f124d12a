/**
 * Who asks, and how the body is protected: Signature Version 4 in the header or in the query of a presigned URL.
 *
 * There is one account and no IAM, so a right signature may do everything; no signature may do nothing, as on a bucket
 * without public access.
 *
 * Fails:  AccessDenied - no signature, an expired one, or unsigned `x-amz-*` headers
 *         SignatureDoesNotMatch, InvalidAccessKeyId, RequestTimeTooSkewed, AuthorizationHeaderMalformed,
 *         AuthorizationQueryParametersError - as AWS
 */
import { Effect } from "effect";
import type { AwsError } from "../AwsError.ts";
import { localAccount } from "../LocalAccount.ts";
import type { ChunkSigner } from "./AwsChunked.ts";
import type { S3Call } from "./S3Call.ts";
import {
  accessDenied,
  invalidArgument,
  invalidRequest,
  notImplemented,
  s3Error,
} from "./s3Error.ts";
import {
  canonicalRequest,
  chunkSigner,
  type CredentialScope,
  parseCredential,
  sameSignature,
  signingKey,
  signRequest,
} from "./SigV4.ts";
import { isoTime, parseBasicTime } from "./timestamps.ts";

/** How the bytes of the body arrive and what they are held to. */
interface BodyProtection {
  /** Hex SHA-256 that the body must have. */
  readonly sha256: string | undefined;
  /** Set for `aws-chunked` framing. */
  readonly chunked:
    | { readonly signer: ChunkSigner | undefined; readonly signedTrailer: boolean }
    | undefined;
}

/** A call whose signature holds; its headers include the hoisted ones of a presigned URL. */
export interface AuthenticatedCall extends S3Call {
  readonly protection: BodyProtection;
  readonly presigned: boolean;
}

/** AWS's tolerance between the clocks of client and server. */
const skewMsMax = 15 * 60 * 1000;
/** A presigned URL lives at most seven days. */
const expiresSecondsMax = 604_800;

const algorithm = "AWS4-HMAC-SHA256";

interface Claim {
  readonly scope: CredentialScope;
  readonly timestamp: string;
  readonly signedHeaders: ReadonlyArray<string>;
  readonly signature: string;
  readonly payloadHash: string;
}

type Query = ReadonlyArray<readonly [string, string]>;

/** Checks the signature of a call at `nowMs`. */
export const authenticate = (
  call: S3Call,
  query: Query,
  nowMs: number,
): Effect.Effect<AuthenticatedCall, AwsError> => {
  const header = call.headers["authorization"];
  const inQuery = call.query.has("X-Amz-Signature") || call.query.has("X-Amz-Algorithm");
  if (header !== undefined && inQuery) {
    return Effect.fail(
      invalidArgument(
        "Authorization",
        header,
        "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the Authorization header should be specified",
      ),
    );
  }
  if (header !== undefined) return authenticateHeader(call, query, header, nowMs);
  if (inQuery) return authenticateQuery(call, query, nowMs);
  return Effect.fail(call.query.has("AWSAccessKeyId") ? unsupportedMechanism() : accessDenied());
};

const unsupportedMechanism = () =>
  invalidRequest(
    "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.",
  );

const authenticateHeader = Effect.fnUntraced(function* (
  call: S3Call,
  query: Query,
  header: string,
  nowMs: number,
) {
  if (!header.startsWith(`${algorithm} `)) return yield* unsupportedMechanism();
  const fields = new Map(
    header
      .slice(algorithm.length)
      .split(",")
      .map((field) => {
        const equals = field.indexOf("=");
        return [field.slice(0, equals).trim(), field.slice(equals + 1).trim()] as const;
      }),
  );
  const signature = fields.get("Signature");
  const signedHeaders = fields.get("SignedHeaders");
  const credential = fields.get("Credential");
  const scope = credential === undefined ? undefined : parseCredential(credential);
  if (signature === undefined || signedHeaders === undefined || scope === undefined) {
    return yield* malformedHeader("The authorization header is malformed");
  }
  const payloadHash = call.headers["x-amz-content-sha256"];
  if (payloadHash === undefined) {
    return yield* invalidRequest("Missing required header for this request: x-amz-content-sha256");
  }
  const timestamp = call.headers["x-amz-date"];
  const atEpochMs = timestamp === undefined ? undefined : parseBasicTime(timestamp);
  if (timestamp === undefined || atEpochMs === undefined) {
    return yield* accessDenied("AWS authentication requires a valid Date or x-amz-date header");
  }
  const claim = {
    scope,
    timestamp,
    signature,
    payloadHash,
    signedHeaders: signedHeaders.split(";"),
  };
  yield* checkScope(claim, malformedHeader);
  if (Math.abs(nowMs - atEpochMs) > skewMsMax) {
    return yield* s3Error(
      403,
      "RequestTimeTooSkewed",
      "The difference between the request time and the current time is too large.",
      { RequestTime: timestamp, ServerTime: isoTime(nowMs), MaxAllowedSkewMilliseconds: "900000" },
    );
  }
  const key = yield* checkSignature(call, query, claim);
  const protection = yield* protectionOf(payloadHash, () =>
    chunkSigner(key, scope, timestamp, signature),
  );
  return { ...call, protection, presigned: false };
});

const authenticateQuery = Effect.fnUntraced(function* (call: S3Call, query: Query, nowMs: number) {
  const parameters = yield* presignedParameters(call);
  const { atEpochMs, expiresSeconds, scope, timestamp } = parameters;
  const payloadHash =
    call.headers["x-amz-content-sha256"] ??
    call.query.get("X-Amz-Content-Sha256") ??
    "UNSIGNED-PAYLOAD";
  const claim = { ...parameters, payloadHash };
  yield* checkScope(claim, queryParametersError);
  if (atEpochMs > nowMs + skewMsMax) {
    return yield* s3Error(403, "AccessDenied", "Request is not yet valid", {
      "X-Amz-Date": timestamp,
      ServerTime: isoTime(nowMs),
    });
  }
  const expiresAtMs = atEpochMs + expiresSeconds * 1000;
  if (nowMs > expiresAtMs) {
    return yield* s3Error(403, "AccessDenied", "Request has expired", {
      "X-Amz-Expires": String(expiresSeconds),
      Expires: isoTime(expiresAtMs),
      ServerTime: isoTime(nowMs),
    });
  }
  const unsigned = query.filter(([name]) => name !== "X-Amz-Signature");
  const key = yield* checkSignature(call, unsigned, claim);
  const protection = yield* protectionOf(payloadHash, () =>
    chunkSigner(key, scope, timestamp, claim.signature),
  );
  return { ...call, headers: hoisted(call), protection, presigned: true };
});

const presignedParameters = Effect.fnUntraced(function* (call: S3Call) {
  if (call.query.get("X-Amz-Algorithm") !== algorithm) {
    return yield* queryParametersError('X-Amz-Algorithm only supports "AWS4-HMAC-SHA256"');
  }
  const credential = call.query.get("X-Amz-Credential");
  const timestamp = call.query.get("X-Amz-Date");
  const expires = call.query.get("X-Amz-Expires");
  const signedHeaders = call.query.get("X-Amz-SignedHeaders");
  const signature = call.query.get("X-Amz-Signature");
  if (
    credential === undefined ||
    timestamp === undefined ||
    expires === undefined ||
    signedHeaders === undefined ||
    signature === undefined
  ) {
    return yield* queryParametersError(
      "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.",
    );
  }
  const scope = parseCredential(credential);
  if (scope === undefined) {
    return yield* queryParametersError("Error parsing the X-Amz-Credential parameter");
  }
  const atEpochMs = parseBasicTime(timestamp);
  if (atEpochMs === undefined) {
    return yield* queryParametersError(
      "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"",
    );
  }
  if (!/^-?\d+$/u.test(expires)) {
    return yield* queryParametersError("X-Amz-Expires should be a number");
  }
  const expiresSeconds = Number(expires);
  if (expiresSeconds < 0) return yield* queryParametersError("X-Amz-Expires must be non-negative");
  if (expiresSeconds > expiresSecondsMax) {
    return yield* queryParametersError(
      "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds",
    );
  }
  return {
    scope,
    timestamp,
    atEpochMs,
    expiresSeconds,
    signature,
    signedHeaders: signedHeaders.split(";"),
  };
});

const malformedHeader = (message: string, detail?: Readonly<Record<string, string>>): AwsError =>
  s3Error(400, "AuthorizationHeaderMalformed", message, detail);

const queryParametersError = (
  message: string,
  detail?: Readonly<Record<string, string>>,
): AwsError => s3Error(400, "AuthorizationQueryParametersError", message, detail);

/** Checks a credential: its key, its region, its service, and that its date is that of the request. */
export const checkScope = (
  claim: { readonly scope: CredentialScope; readonly timestamp: string },
  malformed: (message: string, detail?: Readonly<Record<string, string>>) => AwsError,
): Effect.Effect<void, AwsError> => {
  const { scope, timestamp } = claim;
  if (scope.region !== localAccount.region) {
    return Effect.fail(
      malformed(`the region '${scope.region}' is wrong; expecting '${localAccount.region}'`, {
        Region: localAccount.region,
      }),
    );
  }
  if (scope.service !== "s3") {
    return Effect.fail(malformed(`incorrect service "${scope.service}"; expecting "s3"`));
  }
  if (!timestamp.startsWith(scope.date)) {
    return Effect.fail(malformed(`the credential date "${scope.date}" is not that of the request`));
  }
  return scope.accessKeyId === localAccount.accessKeyId
    ? Effect.void
    : Effect.fail(
        s3Error(
          403,
          "InvalidAccessKeyId",
          "The AWS Access Key Id you provided does not exist in our records.",
          { AWSAccessKeyId: scope.accessKeyId },
        ),
      );
};

const checkSignature = Effect.fnUntraced(function* (call: S3Call, query: Query, claim: Claim) {
  if (
    call.headers["x-amz-security-token"] !== undefined ||
    call.query.has("X-Amz-Security-Token")
  ) {
    return yield* s3Error(
      400,
      "InvalidToken",
      "The provided token is malformed or otherwise invalid.",
    );
  }
  const signed = new Set(claim.signedHeaders);
  const unsigned = Object.keys(call.headers).filter(
    (name) =>
      (name.startsWith("x-amz-") && name !== "x-amz-content-sha256" && !signed.has(name)) ||
      (name === "host" && !signed.has(name)),
  );
  if (unsigned.length > 0) {
    return yield* s3Error(
      403,
      "AccessDenied",
      "There were headers present in the request which were not signed",
      { HeadersNotSigned: unsigned.join(", ") },
    );
  }
  const canonical = canonicalRequest({ ...call, ...claim, query });
  const key = signingKey(localAccount.secretAccessKey, claim.scope);
  const expected = signRequest(key, claim.scope, claim.timestamp, canonical);
  if (!sameSignature(expected, claim.signature)) {
    return yield* s3Error(
      403,
      "SignatureDoesNotMatch",
      "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
      {
        AWSAccessKeyId: claim.scope.accessKeyId,
        SignatureProvided: claim.signature,
        CanonicalRequest: canonical,
      },
    );
  }
  return key;
});

const protectionOf = (
  payloadHash: string,
  signer: () => ChunkSigner,
): Effect.Effect<BodyProtection, AwsError> => {
  switch (payloadHash) {
    case "UNSIGNED-PAYLOAD":
      return Effect.succeed({ sha256: undefined, chunked: undefined });
    case "STREAMING-UNSIGNED-PAYLOAD-TRAILER":
      return Effect.succeed({
        sha256: undefined,
        chunked: { signer: undefined, signedTrailer: false },
      });
    case "STREAMING-AWS4-HMAC-SHA256-PAYLOAD":
    case "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER":
      return Effect.succeed({
        sha256: undefined,
        chunked: { signer: signer(), signedTrailer: payloadHash.endsWith("-TRAILER") },
      });
    default:
      if (/^[0-9a-f]{64}$/u.test(payloadHash)) {
        return Effect.succeed({ sha256: payloadHash, chunked: undefined });
      }
      return Effect.fail(
        payloadHash.startsWith("STREAMING-")
          ? notImplemented("signing", `x-amz-content-sha256: ${payloadHash}`)
          : invalidArgument(
              "x-amz-content-sha256",
              payloadHash,
              "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, or a valid sha256 value.",
            ),
      );
  }
};

const signatureParameters = new Set([
  "x-amz-algorithm",
  "x-amz-credential",
  "x-amz-date",
  "x-amz-expires",
  "x-amz-signedheaders",
  "x-amz-signature",
  "x-amz-content-sha256",
]);

/** The presigner moves headers into the query; S3 reads them from there as if they were headers. */
const hoisted = (call: S3Call): Readonly<Record<string, string>> => {
  const headers: Record<string, string> = {};
  for (const [name, value] of call.query) {
    const lower = name.toLowerCase();
    if (lower.startsWith("x-amz-") && !signatureParameters.has(lower)) headers[lower] = value;
  }
  return { ...headers, ...call.headers };
};
