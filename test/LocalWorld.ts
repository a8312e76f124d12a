/**
 * A whole local mode for tests, and what a test does with it: uploads, events, and looks at everything that came of
 * them through the unmodified SDK clients.
 *
 * State is temporary. Nothing here reaches into the product: what happened is read from the functions' logs, the
 * journal, the buckets, the queues and the tables.
 */
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { EventBridgeClient } from "@aws-sdk/client-eventbridge";
import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectVersionsCommand,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import {
  DeleteMessageCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { NodeServices } from "@effect/platform-node";
import { DeadLetter, type ExecutionRow, Executions } from "@millrace/core";
import { DocumentClient, DynamoExecutions, DynamoJournal } from "@millrace/core/aws";
import {
  clientConfig,
  EmbeddedAws,
  type HostEvent,
  HostEvents,
  layerLocalMode,
  type LocalModeOptions,
  localBuckets,
  localQueues,
  localTables,
  queueUrl,
} from "@millrace/local";
import type { PipelineTopology } from "@millrace/workflows/topology";
import { Clock, Context, Effect, Layer, Option, PubSub, Schedule, Schema } from "effect";

const LogLine = Schema.fromJsonString(
  Schema.Struct({
    message: Schema.Unknown,
    annotations: Schema.Record(Schema.String, Schema.Unknown),
  }),
);
const decodeLogLine = Schema.decodeUnknownOption(LogLine);

const Handled = Schema.Struct({
  outcome: Schema.String,
  subject: Schema.String,
  executionId: Schema.optionalKey(Schema.String),
  status: Schema.optionalKey(Schema.String),
  reason: Schema.optionalKey(Schema.String),
  replayName: Schema.optionalKey(Schema.String),
});
const decodeHandled = Schema.decodeUnknownOption(Handled);

/** A message that a function says it has handled. */
type HandledMessage = typeof Handled.Type & { readonly pid: number };

/** One version of an uploaded object. */
export interface Uploaded {
  readonly key: string;
  readonly versionId: string;
  readonly etag: string;
  /** As the product names it. */
  readonly subject: string;
}

/** How often a test looks whether something has happened. */
const look = Schedule.spaced("25 millis");

const isEnd = ({ status }: HandledMessage) => status === "completed" || status === "failed";

const makeWorld = Effect.gen(function* () {
  const connection = yield* EmbeddedAws;
  const config = { ...clientConfig(connection), maxAttempts: 1 };
  const s3 = new S3Client({ ...config, forcePathStyle: true });
  const sqs = new SQSClient(config);
  const events = new EventBridgeClient(config);
  const documents = DynamoDBDocumentClient.from(new DynamoDBClient(config));
  const hostEvents = yield* PubSub.subscribe(yield* HostEvents);
  const watchers = new Set<(event: HostEvent) => void>();
  const handled: Array<HandledMessage> = [];
  const letters: Array<DeadLetter.DeadLetterEnvelope> = [];
  const rawLetters: Array<string> = [];
  const executions = yield* Executions;

  yield* Effect.forkScoped(
    Effect.forever(
      Effect.map(PubSub.take(hostEvents), (event) => {
        for (const watcher of watchers) watcher(event);
        if (event._tag !== "Line") return;
        const line = Option.flatMap(decodeLogLine(event.line), ({ annotations }) =>
          decodeHandled(annotations),
        );
        if (Option.isSome(line)) handled.push({ ...line.value, pid: event.pid });
      }),
    ),
  );

  const handledAbout = (subject: string) => handled.filter((one) => one.subject === subject);

  const upload = Effect.fnUntraced(function* (key: string, body: Uint8Array | string) {
    const put = yield* Effect.promise(() =>
      s3.send(
        new PutObjectCommand({
          Bucket: localBuckets.raw,
          Key: key,
          // The SDK takes an empty text for a stream of unknown length.
          Body: typeof body === "string" ? Buffer.from(body) : body,
        }),
      ),
    );
    const versionId = put.VersionId ?? "";
    const etag = (put.ETag ?? "").replaceAll('"', "");
    const subject = `${localBuckets.raw}/${key}@${versionId}`;
    return { key, versionId, etag, subject } satisfies Uploaded;
  });

  /** The execution of an upload, once it has ended. */
  const ended = Effect.fnUntraced(function* ({ subject }: { readonly subject: string }) {
    // A wake's message is about the execution: one that was leased when its event came back ends by a wake.
    const findEnd = () => {
      const ids = new Set(handledAbout(subject).map(({ executionId }) => executionId));
      return handled.find((one) => isEnd(one) && ids.has(one.executionId));
    };
    const end = yield* Effect.sync(findEnd).pipe(
      Effect.repeat({ until: (found) => found !== undefined, schedule: look }),
    );
    return yield* Effect.fromNullishOr(yield* executions.find(end?.executionId ?? ""));
  });

  /** Takes what lies in the dead-letter queue of a pipeline. */
  const takeLetters = Effect.fnUntraced(function* (pipeline: PipelineTopology) {
    const QueueUrl = queueUrl(connection.endpoint, localQueues(pipeline).deadLetters);
    const { Messages } = yield* Effect.promise(() =>
      sqs.send(
        new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 0 }),
      ),
    );
    const texts: Array<string> = [];
    for (const { Body = "", ReceiptHandle } of Messages ?? []) {
      yield* Effect.promise(() => sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle })));
      texts.push(Body);
    }
    return texts;
  });

  const drainLetters = Effect.fnUntraced(function* (pipeline: PipelineTopology) {
    for (const text of yield* takeLetters(pipeline)) {
      const letter = yield* Effect.option(DeadLetter.decodeEnvelope(text));
      if (Option.isSome(letter)) letters.push(letter.value);
      else rawLetters.push(text);
    }
  });

  return {
    connection,
    clients: { s3, sqs, events, documents },
    watchers,
    handled,
    handledAbout,
    upload,
    ended,
    takeLetters,

    /** Uploads, and gives the execution once it has ended. */
    process: Effect.fnUntraced(function* (key: string, body: Uint8Array | string) {
      const uploaded = yield* upload(key, body);
      const row: ExecutionRow = yield* ended(uploaded);
      return { uploaded, row };
    }),

    /** Puts a text straight into a pipeline's queue. */
    deliver: (pipeline: PipelineTopology, body: string) =>
      Effect.promise(() =>
        sqs.send(
          new SendMessageCommand({
            QueueUrl: queueUrl(connection.endpoint, localQueues(pipeline).queue),
            MessageBody: body,
          }),
        ),
      ),

    /** Waits until something is true of what has been handled so far. */
    until: (isTrue: () => boolean) =>
      Effect.asVoid(Effect.repeat(Effect.sync(isTrue), { until: (is) => is, schedule: look })),

    /** The dead letters of which something is true; waits for the first. */
    letters: (
      pipeline: PipelineTopology,
      isIt: (letter: DeadLetter.DeadLetterEnvelope) => boolean,
    ) =>
      Effect.map(drainLetters(pipeline), () => letters.filter(isIt)).pipe(
        Effect.repeat({ until: (found) => found.length > 0, schedule: look }),
      ),

    read: Effect.fnUntraced(function* (bucket: string, key: string, versionId?: string) {
      const got = yield* Effect.promise(() =>
        s3.send(
          new GetObjectCommand({
            Bucket: bucket,
            Key: key,
            ...(versionId !== undefined && { VersionId: versionId }),
          }),
        ),
      );
      const bytes = yield* Effect.promise(async () => got.Body?.transformToByteArray());
      return { bytes: bytes ?? new Uint8Array(), contentType: got.ContentType, etag: got.ETag };
    }),

    remove: (key: string, versionId: string) =>
      Effect.promise(() =>
        s3.send(
          new DeleteObjectCommand({ Bucket: localBuckets.raw, Key: key, VersionId: versionId }),
        ),
      ),

    /** Every version of every object in a bucket, as `key@version etag`. */
    versions: (bucket: string, prefix = "") =>
      Effect.promise(async () => {
        const found: Array<{ readonly key: string; readonly versionId: string }> = [];
        let marker: { KeyMarker?: string | undefined; VersionIdMarker?: string | undefined } = {};
        for (;;) {
          const page = await s3.send(
            new ListObjectVersionsCommand({ Bucket: bucket, Prefix: prefix, ...marker }),
          );
          for (const { Key = "", VersionId = "" } of page.Versions ?? []) {
            found.push({ key: Key, versionId: VersionId });
          }
          if (!page.IsTruncated) return found;
          marker = { KeyMarker: page.NextKeyMarker, VersionIdMarker: page.NextVersionIdMarker };
        }
      }),

    unfinishedUploads: (bucket: string) =>
      Effect.promise(async () => {
        const page = await s3.send(new ListMultipartUploadsCommand({ Bucket: bucket }));
        return page.Uploads ?? [];
      }),
  };
});

/** The running local mode as a test sees it. */
export class LocalWorld extends Context.Service<LocalWorld, Effect.Success<typeof makeWorld>>()(
  "millrace/test/LocalWorld",
) {}

/** Two processes for each pipeline; times that let a lost message come back within a test's patience. */
export const layerLocalWorld = (
  options: LocalModeOptions & { readonly timeoutSeconds: number },
) => {
  const { timeoutSeconds } = options;
  const stores = Layer.unwrap(
    Effect.map(EmbeddedAws, (connection) =>
      Layer.merge(
        DynamoJournal.layerDynamo(localTables.journal),
        DynamoExecutions.layerDynamo(localTables.executions),
      ).pipe(Layer.provide(DocumentClient.layer(clientConfig(connection)))),
    ),
  );
  return Layer.effect(LocalWorld, makeWorld).pipe(
    Layer.provideMerge(stores),
    Layer.provideMerge(
      layerLocalMode({
        timesOf: () => ({ timeoutSeconds, visibilitySeconds: timeoutSeconds + 1 }),
        ...options,
      }),
    ),
    Layer.provideMerge(NodeServices.layer),
    // Real time: other processes do not look at a test's clock.
    Layer.provideMerge(Layer.succeed(Clock.Clock, Clock.Clock.defaultValue())),
  );
};
