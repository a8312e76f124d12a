/**
 * What lies in the stores after a soak: every execution by its journal and by its row, every written version of every
 * output, and the dead letters.
 */
import { ListObjectVersionsCommand } from "@aws-sdk/client-s3";
import { DeleteMessageBatchCommand, ReceiveMessageCommand } from "@aws-sdk/client-sqs";
import { ScanCommand } from "@aws-sdk/lib-dynamodb";
import {
  DeadLetter,
  type ExecutionRow,
  Executions,
  type HistoryEvent,
  Journal,
} from "@millrace/core";
import { localBuckets, localQueues, localTables, queueUrl } from "@millrace/local";
import { type PipelineTopology, pipelines } from "@millrace/workflows/topology";
import { Effect, Option, Schema } from "effect";
import { historyViolations } from "../kill/historyViolations.ts";
import { SoakWorld } from "./SoakWorld.ts";

/** An execution as its journal tells of it. */
export interface Told {
  /** Of the object and its version. */
  readonly subject: string;
  readonly status: string;
  readonly commits: number;
  readonly starts: number;
  /** What is wrong with the history. */
  readonly wrong: ReadonlyArray<string>;
}

/** A version of an output, without its key. */
export interface Written {
  readonly versionId: string;
  readonly etag: string;
  readonly modifiedEpochMs: number;
}

/** Histories that are read side by side. */
const readsAtOnce = 8;

const ScannedKeys = Schema.Struct({
  Items: Schema.Array(Schema.Struct({ executionId: Schema.String })),
  LastEvaluatedKey: Schema.optionalKey(Schema.Record(Schema.String, Schema.Unknown)),
});
const decodeScanned = Schema.decodeUnknownEffect(ScannedKeys);

/** Ids of all executions that have a commit, whether an index knows of them or not. */
const executionIds = Effect.gen(function* () {
  const { clients } = yield* SoakWorld;
  const ids = new Set<string>();
  let start: Record<string, unknown> | undefined;
  do {
    const page = yield* Effect.promise(() =>
      clients.documents.send(
        new ScanCommand({
          TableName: localTables.journal,
          ProjectionExpression: "executionId",
          ConsistentRead: true,
          ...(start && { ExclusiveStartKey: start }),
        }),
      ),
    );
    const { Items, LastEvaluatedKey } = yield* decodeScanned({
      Items: page.Items ?? [],
      ...(page.LastEvaluatedKey && { LastEvaluatedKey: page.LastEvaluatedKey }),
    });
    for (const { executionId } of Items) ids.add(executionId);
    start = LastEvaluatedKey;
  } while (start);
  return ids;
});

const Ended = Schema.Struct({
  exit: Schema.Struct({ _tag: Schema.Literals(["Success", "Failure"]) }),
});
const isEnded = Schema.is(Ended);

/** Where an execution stands by its last fact. */
const statusOf = (last: HistoryEvent | undefined): string => {
  if (last?._tag !== "Completed" || !isEnded(last.result)) return "in flight";
  return last.result.exit._tag === "Success" ? "completed" : "failed";
};

const readHistory = Effect.fnUntraced(function* (executionId: string) {
  const journal = yield* Journal;
  const commits = yield* journal.load(executionId, 0);
  const events = commits.flatMap((commit): ReadonlyArray<HistoryEvent> => commit.events);
  const starts = events.filter((event) => event._tag === "ExecutionStarted");
  return {
    subject: starts[0]?.idempotencyKey ?? "",
    status: statusOf(events.at(-1)),
    commits: commits.length,
    starts: starts.length,
    wrong: historyViolations(commits),
  } satisfies Told;
});

/** Every execution of the journal. */
export const readJournal = Effect.fnUntraced(function* (onRead: () => void) {
  const ids = yield* executionIds;
  const told = yield* Effect.forEach(
    ids,
    (executionId) =>
      Effect.map(readHistory(executionId), (one) => {
        onRead();
        return [executionId, one] as const;
      }),
    { concurrency: readsAtOnce },
  );
  return new Map(told);
});

/** Every row of the index, by execution: the commit and the status that it tells of, and how often it was redriven. */
export const readRows = Effect.gen(function* () {
  const executions = yield* Executions;
  const rows = new Map<string, Pick<ExecutionRow, "commit" | "status" | "redrives" | "result">>();
  let cursor: string | undefined;
  do {
    const page = yield* executions.list({ rowsMax: 200, cursor });
    for (const { commit, executionId, redrives, result, status } of page.rows) {
      rows.set(executionId, {
        commit,
        status,
        ...(redrives !== undefined && { redrives }),
        ...(result !== undefined && { result }),
      });
    }
    cursor = page.cursor;
  } while (cursor !== undefined);
  return rows;
});

/** Every version that the pipelines have written, by `bucket/key`. */
export const readOutputs = Effect.gen(function* () {
  const { clients } = yield* SoakWorld;
  const outputs = new Map<string, Array<Written>>();
  for (const Bucket of [localBuckets.clean, localBuckets.errors]) {
    let marker: { KeyMarker?: string | undefined; VersionIdMarker?: string | undefined } = {};
    let more = true;
    while (more) {
      const page = yield* Effect.promise(() =>
        clients.s3.send(new ListObjectVersionsCommand({ Bucket, ...marker })),
      );
      for (const { ETag = "", Key = "", LastModified, VersionId = "" } of page.Versions ?? []) {
        const name = `${Bucket}/${Key}`;
        const written = outputs.get(name) ?? [];
        written.push({
          versionId: VersionId,
          etag: ETag,
          modifiedEpochMs: LastModified?.getTime() ?? 0,
        });
        outputs.set(name, written);
      }
      more = page.IsTruncated === true;
      marker = { KeyMarker: page.NextKeyMarker, VersionIdMarker: page.NextVersionIdMarker };
    }
  }
  return outputs;
});

/** What lay in the dead-letter queues: ids of executions, and texts that the queue itself gave up, by pipeline. */
export interface Letters {
  readonly executions: ReadonlyArray<string>;
  readonly givenUp: ReadonlyArray<{ readonly pipeline: PipelineTopology; readonly body: string }>;
}

/** Takes all dead letters out of their queues. */
export const takeLetters = Effect.gen(function* () {
  const { clients, connection } = yield* SoakWorld;
  const executions: Array<string> = [];
  const givenUp: Array<Letters["givenUp"][number]> = [];
  for (const pipeline of Object.values(pipelines)) {
    const QueueUrl = queueUrl(connection.endpoint, localQueues(pipeline).deadLetters);
    while (true) {
      const { Messages = [] } = yield* Effect.promise(() =>
        clients.sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 })),
      );
      if (Messages.length === 0) break;
      for (const { Body = "" } of Messages) {
        const letter = yield* Effect.option(DeadLetter.decodeEnvelope(Body));
        if (Option.isNone(letter)) givenUp.push({ pipeline, body: Body });
        else executions.push(letter.value.execution?.executionId ?? letter.value.subject);
      }
      const Entries = Messages.map(({ ReceiptHandle }, index) => ({
        Id: String(index),
        ReceiptHandle,
      }));
      yield* Effect.promise(() =>
        clients.sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries })),
      );
    }
  }
  return { executions, givenUp } satisfies Letters;
});
