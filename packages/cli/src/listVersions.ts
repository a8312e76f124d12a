/**
 * The object versions of a bucket of the connection, page by page.
 */
import { S3Client } from "@aws-sdk/client-s3";
import { listVersions as listVersionsOf, type ObjectVersion } from "@millrace/core/aws";
import { type AwsConnection, clientConfig } from "@millrace/local";
import type { Effect } from "effect";

/** A client of S3 for the connection. */
export const s3Of = (connection: AwsConnection): S3Client =>
  new S3Client({ ...clientConfig(connection), forcePathStyle: true });

/** Hands every page to `use`. */
export const listVersions = <E, R>(
  connection: AwsConnection,
  where: Parameters<typeof listVersionsOf>[1],
  use: (versions: ReadonlyArray<ObjectVersion>) => Effect.Effect<void, E, R>,
) => listVersionsOf(s3Of(connection), where, use);
