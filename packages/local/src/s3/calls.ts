/** The calls that operations take, and what they all need from them. */
import { Effect } from "effect";
import type { AwsError } from "../AwsError.ts";
import type { AwsResponse } from "../http/AwsRequest.ts";
import type { AuthenticatedCall } from "./authenticate.ts";
import { declaredDigests, receiveBody } from "./receiveBody.ts";
import { invalidRequest, s3Error } from "./s3Error.ts";
import type { S3World } from "./S3World.ts";
import { s3Namespace, type Xml, xmlDocument } from "./xml.ts";

/** A call at the level of a bucket. */
export interface BucketCall extends AuthenticatedCall {
  readonly bucket: string;
}

/** A call for one object. */
export interface ObjectCall extends BucketCall {
  readonly key: string;
}

/** One operation of S3. */
export type BucketOperation = (
  world: S3World,
  call: BucketCall,
) => Effect.Effect<AwsResponse, AwsError>;
export type ObjectOperation = (
  world: S3World,
  call: ObjectCall,
) => Effect.Effect<AwsResponse, AwsError>;

/** Requests whose body is a document are small; 10,000 parts with checksums need about 2 MB. */
const documentBytesMax = 4 * 1024 * 1024;

/** Reads a body that is an XML document, with all its digests checked. */
export const readDocument = Effect.fnUntraced(function* (
  call: AuthenticatedCall,
  options: { readonly digestRequired: boolean } = { digestRequired: false },
): Effect.fn.Return<string, AwsError> {
  const declared = yield* declaredDigests(call.headers);
  if (
    options.digestRequired &&
    declared.contentMd5 === undefined &&
    declared.checksum === undefined
  ) {
    return yield* invalidRequest("Missing required header for this request: Content-MD5");
  }
  const pieces: Array<Uint8Array> = [];
  let bytes = 0;
  yield* receiveBody(call, declared, {
    fallback: "CRC32",
    write: (piece) => {
      bytes += piece.byteLength;
      if (bytes > documentBytesMax) {
        return Effect.fail(
          s3Error(400, "MaxMessageLengthExceeded", "Your request was too big.", {
            MaxMessageLengthBytes: String(documentBytesMax),
          }),
        );
      }
      pieces.push(piece);
      return Effect.void;
    },
  });
  return Buffer.concat(pieces).toString("utf8");
});

/** Complete Multipart Upload takes the checksum headers for the object, so its document has none of its own. */
export const readBareDocument = (call: AuthenticatedCall): Effect.Effect<string, AwsError> => {
  const headers = Object.fromEntries(
    Object.entries(call.headers).filter(([name]) => !name.startsWith("x-amz-checksum-")),
  );
  return readDocument({ ...call, headers });
};

/** An answer without a body. */
export const emptyResponse = (
  status: number,
  headers: Readonly<Record<string, string>> = {},
): AwsResponse => ({ status, headers, body: "" });

/** An XML answer in S3's namespace. */
export const xmlResponse = (
  root: Xml,
  headers: Readonly<Record<string, string>> = {},
): AwsResponse => ({
  status: 200,
  headers: { "content-type": "application/xml", ...headers },
  body: xmlDocument(root, s3Namespace),
});
