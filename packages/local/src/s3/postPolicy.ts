/**
 * The policy of a browser upload: its signature, its expiry, and whether the form keeps to its conditions.
 *
 * Every field of the form must be covered by a condition, but for the signature's own, `file`, `policy` and `x-ignore-*`.
 *
 * Source: docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html
 */
import { Effect, Schema } from "effect";
import type { AwsError } from "../AwsError.ts";
import { localAccount } from "../LocalAccount.ts";
import { checkScope } from "./authenticate.ts";
import { accessDenied, invalidArgument, s3Error } from "./s3Error.ts";
import { parseCredential, sameSignature, signingKey, signPolicy } from "./SigV4.ts";
import { parseBasicTime } from "./timestamps.ts";

const Policy = Schema.fromJsonString(
  Schema.Struct({
    expiration: Schema.String,
    conditions: Schema.Array(
      Schema.Union([
        Schema.Record(Schema.String, Schema.String),
        Schema.Array(Schema.Union([Schema.String, Schema.Finite])),
      ]),
    ),
  }),
);
const decodePolicy = Schema.decodeUnknownEffect(Policy);

/** What a policy demands of the form. */
export interface PolicyConditions {
  readonly matches: ReadonlyArray<{
    readonly kind: "eq" | "starts-with";
    readonly field: string;
    readonly value: string;
  }>;
  readonly lengthRange: { readonly min: number; readonly max: number } | undefined;
}

const uncovered = new Set(["file", "policy", "x-amz-signature", "awsaccesskeyid", "signature"]);

const refused = (message: string): AwsError =>
  accessDenied(`Invalid according to Policy: ${message}`);

/** Checks the signature over the policy and reads it. */
export const verifyPolicy = Effect.fnUntraced(function* (
  fields: ReadonlyMap<string, string>,
  nowMs: number,
): Effect.fn.Return<PolicyConditions, AwsError> {
  const encoded = fields.get("policy");
  if (encoded === undefined) return yield* accessDenied();
  const algorithm = fields.get("x-amz-algorithm");
  const credential = fields.get("x-amz-credential");
  const timestamp = fields.get("x-amz-date");
  const signature = fields.get("x-amz-signature");
  for (const [name, value] of Object.entries({
    algorithm,
    credential,
    date: timestamp,
    signature,
  })) {
    if (value === undefined) {
      return yield* invalidArgument(
        `x-amz-${name}`,
        "",
        `Bucket POST must contain a field named 'x-amz-${name}'.`,
      );
    }
  }
  if (algorithm !== "AWS4-HMAC-SHA256") {
    return yield* invalidArgument(
      "x-amz-algorithm",
      algorithm ?? "",
      "x-amz-algorithm only supports AWS4-HMAC-SHA256",
    );
  }
  const scope = parseCredential(credential ?? "");
  if (scope === undefined || parseBasicTime(timestamp ?? "") === undefined) {
    return yield* invalidArgument(
      "X-Amz-Credential",
      credential ?? "",
      "Error parsing the X-Amz-Credential or X-Amz-Date field",
    );
  }
  yield* checkScope({ scope, timestamp: timestamp ?? "" }, (message) =>
    s3Error(400, "InvalidArgument", `Error parsing the X-Amz-Credential parameter; ${message}`),
  );
  const expected = signPolicy(signingKey(localAccount.secretAccessKey, scope), encoded);
  if (!sameSignature(expected, signature ?? "")) {
    return yield* s3Error(
      403,
      "SignatureDoesNotMatch",
      "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
      { AWSAccessKeyId: scope.accessKeyId, StringToSign: encoded },
    );
  }
  return yield* readPolicy(Buffer.from(encoded, "base64").toString("utf8"), nowMs);
});

const invalidPolicy = (message: string): AwsError =>
  s3Error(400, "InvalidPolicyDocument", `Invalid Policy: ${message}`);

const readPolicy = Effect.fnUntraced(function* (
  text: string,
  nowMs: number,
): Effect.fn.Return<PolicyConditions, AwsError> {
  const policy = yield* Effect.mapError(decodePolicy(text), (error) =>
    invalidPolicy(error.message),
  );
  const expiresAtMs = Date.parse(policy.expiration);
  if (Number.isNaN(expiresAtMs)) {
    return yield* invalidPolicy(`Invalid 'expiration' value: '${policy.expiration}'`);
  }
  if (nowMs > expiresAtMs) return yield* refused("Policy expired.");
  const matches: Array<PolicyConditions["matches"][number]> = [];
  let lengthRange: PolicyConditions["lengthRange"];
  for (const condition of policy.conditions) {
    if (!isList(condition)) {
      for (const [field, value] of Object.entries(condition)) {
        matches.push({ kind: "eq", field: field.toLowerCase(), value });
      }
      continue;
    }
    const [kind, first, second] = condition;
    const operator = typeof kind === "string" ? kind.toLowerCase() : "";
    if (operator === "content-length-range") {
      lengthRange = { min: Number(first), max: Number(second) };
      if (!Number.isInteger(lengthRange.min) || !Number.isInteger(lengthRange.max)) {
        return yield* invalidPolicy("Invalid content-length-range");
      }
    } else if (
      (operator === "eq" || operator === "starts-with") &&
      typeof first === "string" &&
      first.startsWith("$") &&
      second !== undefined
    ) {
      matches.push({ kind: operator, field: first.slice(1).toLowerCase(), value: String(second) });
    } else {
      return yield* invalidPolicy(`Invalid condition: ${JSON.stringify(condition)}`);
    }
  }
  return { matches, lengthRange };
});

const isList = (
  condition: Readonly<Record<string, string>> | ReadonlyArray<string | number>,
): condition is ReadonlyArray<string | number> => Array.isArray(condition);

/** Holds the fields of a form to the policy; `bucket` counts as a field. */
export const checkForm = (
  policy: PolicyConditions,
  fields: ReadonlyMap<string, string>,
): Effect.Effect<void, AwsError> => {
  for (const { field, kind, value } of policy.matches) {
    const actual = fields.get(field) ?? "";
    const holds = kind === "eq" ? actual === value : startsWith(field, actual, value);
    if (!holds) {
      return Effect.fail(refused(`Policy Condition failed: ["${kind}", "$${field}", "${value}"]`));
    }
  }
  const covered = new Set(policy.matches.map(({ field }) => field));
  for (const field of fields.keys()) {
    if (
      field !== "bucket" &&
      !covered.has(field) &&
      !uncovered.has(field) &&
      !field.startsWith("x-ignore-")
    ) {
      return Effect.fail(refused(`Extra input fields: ${field}`));
    }
  }
  return Effect.void;
};

/** A list of content types keeps to a prefix only when each of them does. */
const startsWith = (field: string, actual: string, prefix: string): boolean =>
  field === "content-type"
    ? actual.split(",").every((part) => part.trim().startsWith(prefix))
    : actual.startsWith(prefix);

/** Holds the size of the file to `content-length-range`. */
export const checkLengthRange = (
  policy: PolicyConditions,
  bytes: number,
): Effect.Effect<void, AwsError> => {
  const range = policy.lengthRange;
  if (range === undefined) return Effect.void;
  if (bytes > range.max) {
    return Effect.fail(
      s3Error(400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size", {
        ProposedSize: String(bytes),
        MaxSizeAllowed: String(range.max),
      }),
    );
  }
  return bytes < range.min
    ? Effect.fail(
        s3Error(
          400,
          "EntityTooSmall",
          "Your proposed upload is smaller than the minimum allowed size",
          { ProposedSize: String(bytes), MinSizeAllowed: String(range.min) },
        ),
      )
    : Effect.void;
};
