/**
 * Signature Version 4 as S3 computes it: canonical request, string to sign, signing key, chunk signatures. Pure.
 *
 * Source: docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 */
import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { ChunkSigner } from "./AwsChunked.ts";
import { percentDecode, percentEncode } from "./percent.ts";

/** The scope inside a credential: `<key>/<date>/<region>/<service>/aws4_request`. */
export interface CredentialScope {
  readonly accessKeyId: string;
  readonly date: string;
  readonly region: string;
  readonly service: string;
}

/** What a signature is made over. */
export interface SignedParts {
  readonly method: string;
  readonly rawPath: string;
  readonly query: ReadonlyArray<readonly [string, string]>;
  readonly headers: Readonly<Record<string, string>>;
  readonly signedHeaders: ReadonlyArray<string>;
  readonly payloadHash: string;
}

/** Reads a credential; `undefined` when it has not the five parts. */
export const parseCredential = (text: string): CredentialScope | undefined => {
  const parts = text.split("/");
  const [date, region, service, terminator] = parts.slice(-4);
  const accessKeyId = parts.slice(0, -4).join("/");
  return accessKeyId === "" ||
    date === undefined ||
    region === undefined ||
    service === undefined ||
    terminator !== "aws4_request"
    ? undefined
    : { accessKeyId, date, region, service };
};

/** The canonical form of a request. */
export const canonicalRequest = (parts: SignedParts): string =>
  [
    parts.method,
    percentEncode(percentDecode(parts.rawPath, false) ?? parts.rawPath, "/"),
    canonicalQuery(parts.query),
    ...parts.signedHeaders.map((name) => `${name}:${canonicalValue(parts.headers[name] ?? "")}`),
    "",
    parts.signedHeaders.join(";"),
    parts.payloadHash,
  ].join("\n");

const canonicalQuery = (query: SignedParts["query"]): string =>
  query
    .map(([name, value]) => [percentEncode(name), percentEncode(value)] as const)
    // Encoded names are ASCII, so comparing UTF-16 units is comparing bytes.
    .toSorted(([a, x], [b, y]) => (a < b ? -1 : a > b ? 1 : x < y ? -1 : x > y ? 1 : 0))
    .map(([name, value]) => `${name}=${value}`)
    .join("&");

const canonicalValue = (value: string): string => value.trim().replaceAll(/ +/gu, " ");

const sha256Hex = (text: string): string => createHash("sha256").update(text).digest("hex");

const hmac = (key: string | Buffer, text: string): Buffer =>
  createHmac("sha256", key).update(text).digest();

const scopeText = (scope: CredentialScope): string =>
  `${scope.date}/${scope.region}/${scope.service}/aws4_request`;

/** The key that signs within one scope. */
export const signingKey = (secret: string, scope: CredentialScope): Buffer =>
  hmac(hmac(hmac(hmac(`AWS4${secret}`, scope.date), scope.region), scope.service), "aws4_request");

/** The signature of a request at `timestamp` (`yyyymmddThhmmssZ`). */
export const signRequest = (
  key: Buffer,
  scope: CredentialScope,
  timestamp: string,
  canonical: string,
): string =>
  hmac(
    key,
    ["AWS4-HMAC-SHA256", timestamp, scopeText(scope), sha256Hex(canonical)].join("\n"),
  ).toString("hex");

/** The signature of a POST policy: over the base64 text itself. */
export const signPolicy = (key: Buffer, policy: string): string =>
  hmac(key, policy).toString("hex");

/** Compares signatures in constant time. */
export const sameSignature = (left: string, right: string): boolean =>
  left.length === right.length && timingSafeEqual(Buffer.from(left), Buffer.from(right));

/** The chain of signatures over the chunks of a streamed body, seeded by the request's own signature. */
export const chunkSigner = (
  key: Buffer,
  scope: CredentialScope,
  timestamp: string,
  seedSignature: string,
): ChunkSigner => {
  let previous = seedSignature;
  const sign = (algorithm: string, ...rest: ReadonlyArray<string>) => {
    previous = hmac(
      key,
      [algorithm, timestamp, scopeText(scope), previous, ...rest].join("\n"),
    ).toString("hex");
    return previous;
  };
  return {
    chunk: (sha256) => sign("AWS4-HMAC-SHA256-PAYLOAD", sha256Hex(""), sha256),
    trailer: (sha256) => sign("AWS4-HMAC-SHA256-TRAILER", sha256),
  };
};
