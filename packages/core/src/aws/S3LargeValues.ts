/**
 * Large values as objects `values/<sha256>` of one bucket.
 *
 * Written with `If-None-Match: *`: the value that is there already is the same one. A lifecycle rule of the bucket may
 * remove values only after the journal's executions are no longer wanted.
 */
import {
  GetObjectCommand,
  PutObjectCommand,
  type S3Client,
  type S3ClientConfig,
} from "@aws-sdk/client-s3";
import { Effect, Layer } from "effect";
import { LargeValueLost, LargeValues, LargeValueUnavailable } from "../LargeValues.ts";
import { openS3Client } from "./s3Client.ts";
import { awsFailure, isNamed, statusOf } from "./awsFailure.ts";

const keyOf = (sha256: string): string => `values/${sha256}`;

/** The store in the given bucket. */
export const layerS3 = (bucket: string, config: S3ClientConfig = {}): Layer.Layer<LargeValues> =>
  Layer.effect(
    LargeValues,
    Effect.map(openS3Client(config), (client) =>
      LargeValues.of({
        put: (sha256, text) =>
          Effect.tryPromise({
            try: () => put(client, bucket, sha256, text),
            catch: (cause) =>
              new LargeValueUnavailable({ sha256, operation: "put", ...awsFailure(cause) }),
          }),
        get: (sha256) =>
          Effect.tryPromise({
            try: () => get(client, bucket, sha256),
            catch: (cause) =>
              isNamed(cause, "NoSuchKey")
                ? new LargeValueLost({ sha256, reason: `${bucket}/${keyOf(sha256)} is not there` })
                : new LargeValueUnavailable({ sha256, operation: "get", ...awsFailure(cause) }),
          }),
      }),
    ),
  );

const put = async (
  client: S3Client,
  bucket: string,
  sha256: string,
  text: string,
): Promise<void> => {
  const command = new PutObjectCommand({
    Bucket: bucket,
    Key: keyOf(sha256),
    Body: text,
    ContentType: "application/json",
    IfNoneMatch: "*",
  });
  await client.send(command).catch((error: unknown) => {
    if (statusOf(error) !== 412) throw error;
  });
};

const get = async (client: S3Client, bucket: string, sha256: string): Promise<string> => {
  const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: keyOf(sha256) }));
  return (await Body?.transformToString()) ?? "";
};
