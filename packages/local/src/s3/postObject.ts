/**
 * POST Object: the upload of a browser form under a signed policy.
 *
 * Source: docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html
 */
import { Clock, Effect, type Scope, Stream } from "effect";
import type { AwsError } from "../AwsError.ts";
import type { AwsResponse } from "../http/AwsRequest.ts";
import type { ObjectCall } from "./calls.ts";
import { emptyResponse } from "./calls.ts";
import { UploadForm } from "./UploadForm.ts";
import { readObjectMeta } from "./objectMeta.ts";
import { percentEncode } from "./percent.ts";
import { checkForm, checkLengthRange, type PolicyConditions, verifyPolicy } from "./postPolicy.ts";
import { declaredDigests, receiveBody } from "./receiveBody.ts";
import { invalidArgument, notImplemented, s3Error } from "./s3Error.ts";
import type { S3Call } from "./S3Call.ts";
import { checkHeaders } from "./supportedHeaders.ts";
import { currentSecondMs, requireBucket, type S3World } from "./S3World.ts";
import { parseTagging } from "./tags.ts";
import {
  checksumResponseHeaders,
  createdHeaders,
  putBytesMax,
  storeObject,
} from "./writeObject.ts";
import { element, xmlDocument } from "./xml.ts";

const formFields = new Set([
  "key",
  "policy",
  "success_action_status",
  "success_action_redirect",
  "redirect",
  "bucket",
  "tagging",
  "content-type",
  "cache-control",
  "content-disposition",
  "content-encoding",
  "content-language",
  "expires",
  "acl",
  "file",
]);

/** POST to a bucket with a multipart/form-data body. */
export const postObject = Effect.fnUntraced(function* (
  world: S3World,
  call: S3Call & { readonly bucket: string },
): Effect.fn.Return<AwsResponse, AwsError, Scope.Scope> {
  const boundary = /boundary=(?:"([^"]+)"|([^;\s]+))/iu.exec(call.headers["content-type"] ?? "");
  const form = new UploadForm(boundary?.[1] ?? boundary?.[2] ?? "");
  return yield* receiveForm(world, call, form);
}, Effect.scoped);

const receiveForm = Effect.fnUntraced(function* (
  world: S3World,
  call: S3Call & { readonly bucket: string },
  form: UploadForm,
) {
  const nowMs = yield* Clock.currentTimeMillis;
  const body = yield* world.bodies.create;
  let opened: OpenedForm | undefined;
  let bytes = 0;
  const open = Effect.suspend(() =>
    opened === undefined ? openForm(world, call, form, nowMs) : Effect.succeed(opened),
  );
  const fileBytes = call.body.pipe(
    Stream.mapEffect((piece) =>
      Effect.gen(function* () {
        const payload = yield* Effect.fromResult(form.feed(piece));
        if (payload === undefined) return new Uint8Array();
        opened = yield* open;
        bytes += payload.byteLength;
        if (bytes > opened.bytesMax) yield* checkLengthRange(opened.policy, bytes);
        return payload;
      }),
    ),
  );
  // The digests of a form are fields, known only once the file begins: so they are checked after the bytes are here.
  const received = yield* receiveBody(
    {
      ...call,
      body: fileBytes,
      protection: { sha256: undefined, chunked: undefined },
      presigned: false,
    },
    { contentMd5: undefined, checksum: undefined },
    { fallback: "CRC64NVME", write: body.write },
  );
  yield* Effect.fromResult(form.finish());
  const { headers, key, policy, tags } = yield* open;
  yield* checkLengthRange(policy, received.size);
  yield* body.complete;
  const meta = yield* readObjectMeta(headers, "POST Object");
  const etag = received.md5.toString("hex");
  const target: ObjectCall = {
    ...call,
    key,
    // Conditional headers are not part of a form.
    headers: {},
    protection: { sha256: undefined, chunked: undefined },
    presigned: false,
  };
  const stored = yield* storeObject(world, target, {
    reason: "POST Object",
    newBodies: [body],
    version: {
      key,
      modifiedMs: yield* currentSecondMs,
      size: received.size,
      etag,
      meta: { ...meta, checksum: received.checksum },
      tags,
      body: [{ file: body.file, size: received.size }],
      multipart: false,
      isMarker: false,
    },
  });
  return formAnswer(call, form, {
    key,
    etag,
    headers: { ...createdHeaders(stored), ...checksumResponseHeaders(received.checksum) },
  });
});

interface OpenedForm {
  readonly key: string;
  readonly policy: PolicyConditions;
  readonly headers: Readonly<Record<string, string>>;
  readonly tags: Effect.Success<ReturnType<typeof parseTagging>>;
  readonly bytesMax: number;
}

/** Judges the form as soon as its fields are known, before the file is taken in. */
const openForm = Effect.fnUntraced(function* (
  world: S3World,
  call: S3Call & { readonly bucket: string },
  form: UploadForm,
  nowMs: number,
): Effect.fn.Return<OpenedForm, AwsError> {
  const fields = new Map(form.fields);
  const policy = yield* verifyPolicy(fields, nowMs);
  const template = fields.get("key");
  if (template === undefined || template === "") {
    return yield* invalidArgument(
      "key",
      "",
      "Bucket POST must contain a field named 'key'.  If it is specified, please check the order of the fields.",
    );
  }
  const named = fields.get("bucket");
  yield* checkForm(policy, fields.set("bucket", call.bucket));
  if (named !== undefined && named !== call.bucket) {
    return yield* invalidArgument(
      "bucket",
      named,
      "The bucket field is not the bucket of the URL.",
    );
  }
  yield* Effect.fromResult(requireBucket(world, call.bucket));
  const acl = fields.get("acl");
  if (acl !== undefined && acl !== "private" && acl !== "bucket-owner-full-control") {
    return yield* notImplemented("POST Object", `acl: ${acl}`);
  }
  const headers: Record<string, string> = {};
  for (const [name, value] of fields) {
    if (!formFields.has(name) && !name.startsWith("x-")) {
      return yield* notImplemented("POST Object", name);
    }
    headers[name] = value;
  }
  yield* checkHeaders(headers, "POST Object");
  const digests = yield* declaredDigests(headers);
  if (digests.checksum !== undefined || digests.contentMd5 !== undefined) {
    return yield* notImplemented("POST Object", "checksum fields");
  }
  const tagging = fields.get("tagging");
  const key = template.replaceAll("${filename}", form.file?.filename ?? "");
  if (Buffer.byteLength(key) > 1024) {
    return yield* s3Error(400, "KeyTooLongError", "Your key is too long");
  }
  return {
    key,
    policy,
    headers,
    tags: tagging === undefined ? [] : yield* parseTagging(tagging),
    bytesMax: Math.min(policy.lengthRange?.max ?? putBytesMax, putBytesMax),
  };
});

const formAnswer = (
  call: S3Call & { readonly bucket: string },
  form: UploadForm,
  object: {
    readonly key: string;
    readonly etag: string;
    readonly headers: Readonly<Record<string, string>>;
  },
): AwsResponse => {
  const location = `http://${call.headers["host"] ?? "localhost"}/${call.bucket}/${percentEncode(object.key, "/")}`;
  const headers = { ...object.headers, etag: `"${object.etag}"`, location };
  const redirect = form.fields.get("success_action_redirect") ?? form.fields.get("redirect");
  if (redirect !== undefined && URL.canParse(redirect)) {
    const target = new URL(redirect);
    target.searchParams.set("bucket", call.bucket);
    target.searchParams.set("key", object.key);
    target.searchParams.set("etag", `"${object.etag}"`);
    return emptyResponse(303, { ...headers, location: target.href });
  }
  switch (form.fields.get("success_action_status")) {
    case "200":
      return emptyResponse(200, headers);
    case "201":
      return {
        status: 201,
        headers: { ...headers, "content-type": "application/xml" },
        body: xmlDocument(
          element(
            "PostResponse",
            element("Location", location),
            element("Bucket", call.bucket),
            element("Key", object.key),
            element("ETag", `"${object.etag}"`),
          ),
        ),
      };
    default:
      return emptyResponse(204, headers);
  }
};
