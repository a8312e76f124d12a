/**
 * The S3 client, with the timeouts that the SDK's default lacks.
 */
import { S3Client, type S3ClientConfig } from "@aws-sdk/client-s3";
import { Effect, type Scope } from "effect";

/** Longest silence of S3 before a request is given up, in milliseconds. */
const requestTimeoutMs = 30_000;

/** A client of the process's own AWS configuration, or of the one given; it closes with the scope. */
export const openS3Client = (config: S3ClientConfig): Effect.Effect<S3Client, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(
      () =>
        new S3Client({
          requestHandler: {
            requestTimeout: requestTimeoutMs,
            // Else the time-out is only logged.
            throwOnRequestTimeout: true,
            connectionTimeout: 2_000,
          },
          ...config,
        }),
    ),
    (client) => Effect.sync(() => client.destroy()),
  );
