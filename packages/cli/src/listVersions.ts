/**
 * The object versions of a bucket of the connection, page by page.
 */
import { S3Client } from "@aws-sdk/client-s3";
import type { ObjectVersion } from "@millrace/core";
import { listVersions as listVersionsOf } from "@millrace/core/aws";
import { type AwsConnection, clientConfig } from "@millrace/local";
import type { Effect } from "effect";

/** Hands every page to `use`. */
export const listVersions = <E, R>(
  connection: AwsConnection,
  where: Parameters<typeof listVersionsOf>[1],
  use: (versions: ReadonlyArray<ObjectVersion>) => Effect.Effect<void, E, R>,
) =>
  listVersionsOf(new S3Client({ ...clientConfig(connection), forcePathStyle: true }), where, use);
