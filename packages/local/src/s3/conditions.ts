/**
 * Conditional requests: reads (RFC 9110 order) and writes. Pure.
 *
 * Source: docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-requests.html
 */
import { Result } from "effect";
import type { AwsError } from "../AwsError.ts";
import { noSuchKey, notImplemented, preconditionFailed } from "./s3Error.ts";
import type { VersionRow } from "./S3Tables.ts";
import { parseHttpDate } from "./timestamps.ts";

/** The four conditions of a read, or of the source of a copy. */
export interface ReadConditions {
  readonly ifMatch: string | undefined;
  readonly ifNoneMatch: string | undefined;
  readonly ifModifiedSince: string | undefined;
  readonly ifUnmodifiedSince: string | undefined;
}

export const readConditions = (
  headers: Readonly<Record<string, string>>,
  prefix = "",
): ReadConditions => ({
  ifMatch: headers[`${prefix}if-match`],
  ifNoneMatch: headers[`${prefix}if-none-match`],
  ifModifiedSince: headers[`${prefix}if-modified-since`],
  ifUnmodifiedSince: headers[`${prefix}if-unmodified-since`],
});

/** What the conditions say about an object; `failed` names the condition that does not hold. */
export const judgeRead = (
  conditions: ReadConditions,
  object: { readonly etag: string; readonly modifiedMs: number },
): { readonly outcome: "proceed" | "notModified" } | { readonly failed: string } => {
  const { ifMatch, ifNoneMatch } = conditions;
  if (ifMatch !== undefined) {
    if (!etagListed(ifMatch, object.etag)) return { failed: "If-Match" };
  } else {
    const unmodifiedSinceMs = dateOf(conditions.ifUnmodifiedSince);
    if (unmodifiedSinceMs !== undefined && object.modifiedMs > unmodifiedSinceMs) {
      return { failed: "If-Unmodified-Since" };
    }
  }
  if (ifNoneMatch !== undefined) {
    return { outcome: etagListed(ifNoneMatch, object.etag) ? "notModified" : "proceed" };
  }
  const modifiedSinceMs = dateOf(conditions.ifModifiedSince);
  return {
    outcome:
      modifiedSinceMs !== undefined && object.modifiedMs <= modifiedSinceMs
        ? "notModified"
        : "proceed",
  };
};

const dateOf = (text: string | undefined): number | undefined =>
  text === undefined ? undefined : parseHttpDate(text);

/** True when the list of entity tags contains the tag or is `*`. */
export const etagListed = (list: string, etag: string): boolean =>
  list.split(",").some((entry) => {
    const tag = entry.trim();
    return tag === "*" || bareEtag(tag) === etag;
  });

/** An entity tag without `W/` and quotes. */
export const bareEtag = (tag: string): string =>
  tag.trim().replace(/^W\//u, "").replaceAll(/^"|"$/gu, "");

/** Holds a write to `If-None-Match: *` and `If-Match`. */
export const checkWrite = (
  headers: Readonly<Record<string, string>>,
  target: { readonly key: string; readonly current: VersionRow | undefined },
): Result.Result<void, AwsError> => {
  const ifNoneMatch = headers["if-none-match"];
  const ifMatch = headers["if-match"];
  const live = target.current?.isMarker === 0 ? target.current : undefined;
  if (ifNoneMatch !== undefined) {
    if (ifNoneMatch.trim() !== "*") {
      return Result.fail(notImplemented("a write", `If-None-Match: ${ifNoneMatch}`));
    }
    if (live !== undefined) return Result.fail(preconditionFailed("If-None-Match"));
  }
  if (ifMatch === undefined) return Result.void;
  if (live === undefined) return Result.fail(noSuchKey(target.key));
  return etagListed(ifMatch, live.etag) ? Result.void : Result.fail(preconditionFailed("If-Match"));
};
