/**
 * Cross-origin rules of a bucket: storing them, answering preflights, and the headers on other answers.
 *
 * Source: docs.aws.amazon.com/AmazonS3/latest/userguide/cors.html
 */
import { Effect, Result, Schema } from "effect";
import type { AwsError } from "../AwsError.ts";
import type { AwsResponse } from "../http/AwsRequest.ts";
import { findBucket, setCors } from "./Buckets.ts";
import type { BucketOperation } from "./calls.ts";
import { emptyResponse, readDocument, xmlResponse } from "./calls.ts";
import { invalidRequest, malformedXml, s3Error } from "./s3Error.ts";
import type { BucketRow } from "./S3Tables.ts";
import { requireBucket, type S3World } from "./S3World.ts";
import { childrenOf, element, optionalElement, parseXml, textOf, type XmlNode } from "./xml.ts";

const CorsRule = Schema.Struct({
  id: Schema.optionalKey(Schema.String),
  origins: Schema.Array(Schema.String),
  methods: Schema.Array(Schema.String),
  headers: Schema.Array(Schema.String),
  exposed: Schema.Array(Schema.String),
  maxAgeSeconds: Schema.optionalKey(Schema.String),
});
type CorsRule = typeof CorsRule.Type;
const CorsRules = Schema.fromJsonString(Schema.Array(CorsRule));

const rulesMax = 100;
const corsMethods = new Set(["GET", "PUT", "POST", "DELETE", "HEAD"]);

const noConfiguration = (bucket: string): AwsError =>
  s3Error(404, "NoSuchCORSConfiguration", "The CORS configuration does not exist", {
    BucketName: bucket,
  });

const rulesOf = (bucket: BucketRow | undefined): ReadonlyArray<CorsRule> =>
  bucket === undefined || bucket.cors === null ? [] : Schema.decodeSync(CorsRules)(bucket.cors);

/** PutBucketCors. */
export const putBucketCors: BucketOperation = Effect.fnUntraced(function* (world, call) {
  yield* Effect.fromResult(requireBucket(world, call.bucket));
  const document = yield* readDocument(call, { digestRequired: true });
  const nodes = childrenOf(yield* parseXml(document, "CORSConfiguration"), "CORSRule");
  if (nodes.length === 0 || nodes.length > rulesMax) return yield* malformedXml();
  const rules = yield* Effect.forEach(nodes, readRule);
  yield* world.commit(() =>
    Result.map(requireBucket(world, call.bucket), () =>
      setCors(world.database, call.bucket, JSON.stringify(rules)),
    ),
  );
  return emptyResponse(200);
});

const readRule = (node: XmlNode): Effect.Effect<CorsRule, AwsError> => {
  const texts = (name: string) => childrenOf(node, name).map(({ text }) => text);
  const id = textOf(node, "ID");
  const maxAgeSeconds = textOf(node, "MaxAgeSeconds");
  const rule = {
    ...(id === undefined ? {} : { id }),
    origins: texts("AllowedOrigin"),
    methods: texts("AllowedMethod"),
    headers: texts("AllowedHeader"),
    exposed: texts("ExposeHeader"),
    ...(maxAgeSeconds === undefined ? {} : { maxAgeSeconds }),
  };
  if (rule.origins.length === 0 || rule.methods.length === 0) return Effect.fail(malformedXml());
  const unknown = rule.methods.find((method) => !corsMethods.has(method));
  return unknown === undefined
    ? Effect.succeed(rule)
    : Effect.fail(
        invalidRequest(
          `Found unsupported HTTP method in CORS config. Unsupported method is ${unknown}`,
        ),
      );
};

/** GetBucketCors. */
export const getBucketCors: BucketOperation = Effect.fnUntraced(function* (world, call) {
  const bucket = yield* Effect.fromResult(requireBucket(world, call.bucket));
  const rules = rulesOf(bucket);
  if (rules.length === 0) return yield* noConfiguration(call.bucket);
  return xmlResponse(
    element(
      "CORSConfiguration",
      ...rules.map((rule) =>
        element(
          "CORSRule",
          optionalElement("ID", rule.id),
          ...rule.headers.map((text) => element("AllowedHeader", text)),
          ...rule.methods.map((text) => element("AllowedMethod", text)),
          ...rule.origins.map((text) => element("AllowedOrigin", text)),
          ...rule.exposed.map((text) => element("ExposeHeader", text)),
          optionalElement("MaxAgeSeconds", rule.maxAgeSeconds),
        ),
      ),
    ),
  );
});

/** DeleteBucketCors. */
export const deleteBucketCors: BucketOperation = Effect.fnUntraced(function* (world, call) {
  yield* world.commit(() =>
    Result.map(requireBucket(world, call.bucket), () => setCors(world.database, call.bucket, null)),
  );
  return emptyResponse(204);
});

interface CrossOriginCall {
  readonly method: string;
  readonly bucket: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
}

/** Answers an OPTIONS request, which browsers send unsigned. */
export const preflight = (
  world: S3World,
  call: CrossOriginCall,
): Effect.Effect<AwsResponse, AwsError> => {
  const origin = call.headers["origin"];
  const method = call.headers["access-control-request-method"];
  if (origin === undefined || method === undefined) {
    return Effect.fail(
      s3Error(400, "BadRequest", "Insufficient information. Origin request header needed."),
    );
  }
  const asked = (call.headers["access-control-request-headers"] ?? "")
    .split(",")
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== "");
  const bucket = findBucket(world.database, call.bucket ?? "");
  const rule = findRule(rulesOf(bucket), { origin, method, asked });
  if (rule === undefined) {
    return Effect.fail(
      s3Error(
        403,
        "AccessForbidden",
        bucket === undefined || bucket.cors === null
          ? "CORSResponse: CORS is not enabled for this bucket."
          : "CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, request method / Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the resource's CORS spec.",
        { Method: method, ResourceType: "OBJECT" },
      ),
    );
  }
  return Effect.succeed(
    emptyResponse(200, {
      ...ruleHeaders(rule, origin),
      ...(asked.length === 0 ? {} : { "access-control-allow-headers": asked.join(", ") }),
    }),
  );
};

/** The CORS headers that an ordinary answer carries when its request named an origin. */
export const crossOriginHeaders = (
  world: S3World,
  call: CrossOriginCall,
): Readonly<Record<string, string>> => {
  const origin = call.headers["origin"];
  if (origin === undefined || call.bucket === undefined) return {};
  const rules = rulesOf(findBucket(world.database, call.bucket));
  const rule = findRule(rules, { origin, method: call.method, asked: [] });
  return rule === undefined ? {} : ruleHeaders(rule, origin);
};

const findRule = (
  rules: ReadonlyArray<CorsRule>,
  request: {
    readonly origin: string;
    readonly method: string;
    readonly asked: ReadonlyArray<string>;
  },
): CorsRule | undefined =>
  rules.find(
    (rule) =>
      rule.methods.includes(request.method) &&
      rule.origins.some((pattern) => matches(pattern, request.origin)) &&
      request.asked.every((name) =>
        rule.headers.some((pattern) => matches(pattern.toLowerCase(), name)),
      ),
  );

/** A pattern with at most one `*`. */
const matches = (pattern: string, text: string): boolean => {
  const star = pattern.indexOf("*");
  if (star < 0) return pattern === text;
  const head = pattern.slice(0, star);
  const tail = pattern.slice(star + 1);
  return text.length >= head.length + tail.length && text.startsWith(head) && text.endsWith(tail);
};

const ruleHeaders = (rule: CorsRule, origin: string): Readonly<Record<string, string>> => {
  const isAny = rule.origins.includes("*");
  return {
    "access-control-allow-origin": isAny ? "*" : origin,
    "access-control-allow-methods": rule.methods.join(", "),
    ...(isAny ? {} : { "access-control-allow-credentials": "true" }),
    ...(rule.exposed.length === 0
      ? {}
      : { "access-control-expose-headers": rule.exposed.join(", ") }),
    ...(rule.maxAgeSeconds === undefined ? {} : { "access-control-max-age": rule.maxAgeSeconds }),
    vary: "Origin, Access-Control-Request-Headers, Access-Control-Request-Method",
  };
};
