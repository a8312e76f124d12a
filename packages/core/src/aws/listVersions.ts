/**
 * The object versions of a bucket below a prefix, page by page, in the order of their keys.
 */
import { ListObjectVersionsCommand, type S3Client } from "@aws-sdk/client-s3";
import { Effect, Schema } from "effect";
import type { ObjectVersion } from "../ObjectVersion.ts";

/** The bucket could not be listed. */
export class BucketUnread extends Schema.TaggedError<BucketUnread>()("BucketUnread", {
  bucket: Schema.String,
  prefix: Schema.String,
  cause: Schema.Defect(),
}) {
  override get message(): string {
    return `s3://${this.bucket}/${this.prefix} could not be listed: ${String(this.cause)}`;
  }
}

/** Hands every page to `use`; delete markers are left out. Begins behind `afterKey`, when that is given. */
export const listVersions = Effect.fnUntraced(function* <E, R>(
  client: S3Client,
  where: {
    readonly bucket: string;
    readonly prefix: string;
    readonly afterKey?: string | undefined;
  },
  use: (versions: ReadonlyArray<ObjectVersion>) => Effect.Effect<void, E, R>,
) {
  const { afterKey, bucket, prefix } = where;
  let marker: { KeyMarker?: string | undefined; VersionIdMarker?: string | undefined } =
    afterKey === undefined ? {} : { KeyMarker: afterKey };
  let isMore = true;
  while (isMore) {
    const at = marker;
    const page = yield* Effect.tryPromise({
      try: () =>
        client.send(new ListObjectVersionsCommand({ Bucket: bucket, Prefix: prefix, ...at })),
      catch: (cause) => new BucketUnread({ bucket, prefix, cause }),
    });
    yield* use(
      (page.Versions ?? []).map((version) => ({
        key: version.Key ?? "",
        versionId: version.VersionId === "null" ? undefined : version.VersionId,
        etag: (version.ETag ?? "").replaceAll('"', ""),
        sizeBytes: version.Size ?? 0,
        modifiedEpochMs: version.LastModified?.getTime() ?? 0,
        isLatest: version.IsLatest === true,
      })),
    );
    marker = { KeyMarker: page.NextKeyMarker, VersionIdMarker: page.NextVersionIdMarker };
    isMore = page.IsTruncated === true;
  }
});
