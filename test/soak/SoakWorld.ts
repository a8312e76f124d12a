/**
 * The local mode that a soak runs in, whole and on disk, with a faulty front between its workers and the embedded AWS;
 * and what a soak does with it.
 */
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { EventBridgeClient } from "@aws-sdk/client-eventbridge";
import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { GetQueueAttributesCommand, SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { NodeServices } from "@effect/platform-node";
import { DocumentClient, DynamoExecutions, DynamoJournal } from "@millrace/core/aws";
import { Prng } from "@millrace/core/testing/simulation";
import {
  clientConfig,
  EmbeddedAws,
  HostEvents,
  layerLocalMode,
  localBuckets,
  localQueues,
  localTables,
  queueUrl,
} from "@millrace/local";
import { pipelines, type PipelineTopology } from "@millrace/workflows/topology";
import { Context, Effect, Layer, PubSub, Schedule } from "effect";
import { type FaultyFront, startFaultyFront } from "./FaultyFront.ts";
import { HandledLines } from "./HandledLines.ts";
import type { SoakOptions } from "./SoakReport.ts";
import type { SoakFile } from "./soakFile.ts";

/** One request of the workers in a hundred is spoiled. */
const faultRate = 0.01;

/**
 * A message of a killed worker comes back after this long; longer than any work here takes on a busy machine, so that
 * the queue gives back only what a kill has interrupted.
 */
export const timeoutSeconds = 10;
const times = { timeoutSeconds, visibilitySeconds: timeoutSeconds + 1 };

const workersDefault = 2;

/** An uploaded version. */
export interface Uploaded {
  readonly key: string;
  readonly versionId: string;
  readonly etag: string;
  readonly sizeBytes: number;
  /** As the product names it. */
  readonly subject: string;
}

const makeWorld = Effect.fnUntraced(function* (front: FaultyFront) {
  const connection = yield* EmbeddedAws;
  front.forwardTo(connection.endpoint);
  const config = clientConfig(connection);
  const s3 = new S3Client({ ...config, forcePathStyle: true });
  const sqs = new SQSClient(config);
  const events = new EventBridgeClient(config);
  const documents = DynamoDBDocumentClient.from(new DynamoDBClient(config));
  const lines = new HandledLines();
  const hostEvents = yield* PubSub.subscribe(yield* HostEvents);
  const watchers = new Set<(pid: number) => void>();
  yield* Effect.forkScoped(
    Effect.forever(
      Effect.map(PubSub.take(hostEvents), (event) => {
        lines.take(event);
        if (event._tag === "InvocationStarted") for (const watch of watchers) watch(event.pid);
      }),
    ),
  );

  /** Messages of a queue that somebody is to take, or has at work. */
  const depth = Effect.fnUntraced(function* (queue: string) {
    const { Attributes } = yield* Effect.promise(() =>
      sqs.send(
        new GetQueueAttributesCommand({
          QueueUrl: queueUrl(connection.endpoint, queue),
          AttributeNames: [
            "ApproximateNumberOfMessages",
            "ApproximateNumberOfMessagesNotVisible",
            "ApproximateNumberOfMessagesDelayed",
          ],
        }),
      ),
    );
    return Object.values(Attributes ?? {}).reduce((sum, count) => sum + Number(count), 0);
  });
  const depthOfAll = Effect.map(
    Effect.forEach(Object.values(pipelines), (pipeline) => depth(localQueues(pipeline).queue)),
    (depths) => depths.reduce((sum, one) => sum + one, 0),
  );

  return {
    connection,
    front,
    lines,
    clients: { s3, sqs, events, documents },
    /** Told of every invocation that begins, with the process that it is in. */
    watchers,
    depthOfAll,
    /** Waits until no queue holds anything any more. */
    quiet: depthOfAll.pipe(
      Effect.repeat({ until: (all) => all === 0, schedule: Schedule.spaced("200 millis") }),
      Effect.asVoid,
    ),

    upload: Effect.fnUntraced(function* ({ body, key }: Pick<SoakFile, "body" | "key">) {
      const put = yield* Effect.promise(() =>
        s3.send(new PutObjectCommand({ Bucket: localBuckets.raw, Key: key, Body: body })),
      );
      const versionId = put.VersionId ?? "";
      const etag = (put.ETag ?? "").replaceAll('"', "");
      const subject = `${localBuckets.raw}/${key}@${versionId}`;
      return { key, versionId, etag, sizeBytes: body.byteLength, subject } satisfies Uploaded;
    }),

    /** Puts a text straight into a pipeline's queue, as a queue that delivers twice does. */
    deliver: (pipeline: PipelineTopology, MessageBody: string) =>
      Effect.promise(() =>
        sqs.send(
          new SendMessageCommand({
            QueueUrl: queueUrl(connection.endpoint, localQueues(pipeline).queue),
            MessageBody,
          }),
        ),
      ),
  };
});

/** The running local mode as a soak sees it. */
export class SoakWorld extends Context.Service<
  SoakWorld,
  Effect.Success<ReturnType<typeof makeWorld>>
>()("millrace/test/SoakWorld") {}

/** Everything, on the disk of the directory given. */
export const layerSoakWorld = ({ concurrencyMax, directory, seed }: SoakOptions) =>
  Layer.unwrap(
    Effect.map(startFaultyFront(new Prng(seed), faultRate), (front) => {
      const stores = Layer.unwrap(
        Effect.map(EmbeddedAws, (connection) =>
          Layer.merge(
            DynamoJournal.layerDynamo(localTables.journal),
            DynamoExecutions.layerDynamo(localTables.executions),
          ).pipe(Layer.provide(DocumentClient.layer(clientConfig(connection)))),
        ),
      );
      return Layer.effect(SoakWorld, makeWorld(front)).pipe(
        Layer.provideMerge(stores),
        Layer.provideMerge(
          layerLocalMode({
            directory,
            concurrencyMax: concurrencyMax ?? workersDefault,
            timesOf: () => times,
            // Only what the workers ask for goes through the front.
            variables: { AWS_ENDPOINT_URL: front.endpoint },
          }),
        ),
        Layer.provideMerge(NodeServices.layer),
      );
    }),
  );
