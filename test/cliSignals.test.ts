/**
 * Goal: people pause and resume pipelines, signal executions and cancel them, and are told what they did.
 * Method: the command as people run it, over a local mode with workers.
 */
import { GetQueueAttributesCommand, SQSClient } from "@aws-sdk/client-sqs";
import { assert, describe, it } from "@effect/vitest";
import { clientConfig, localQueues, queueUrl } from "@millrace/local";
import { pipelines } from "@millrace/workflows/topology";
import { Effect, Schedule, Schema } from "effect";
import {
  decodeConnectionLine,
  decodeListing,
  dev,
  inFolder,
  millrace,
  write,
} from "./cliProcess.ts";

const patience = { timeout: 180_000 };

const Signalled = Schema.fromJsonString(
  Schema.Struct({ executionId: Schema.String, deferred: Schema.String }),
);
const decodeSignalled = Schema.decodeUnknownEffect(Signalled);
const Resumed = Schema.fromJsonString(
  Schema.Struct({
    pipeline: Schema.String,
    paused: Schema.Boolean,
    before: Schema.optionalKey(Schema.Struct({ reason: Schema.String })),
  }),
);
const decodeResumed = Schema.decodeUnknownEffect(Resumed);

/** Rows of `ls`, once there are so many that have ended. */
const ended = (folder: string, count: number) =>
  millrace(folder, "ls", "--json").pipe(
    Effect.flatMap(({ out }) => decodeListing(out)),
    Effect.map(({ rows }) =>
      rows.filter(({ status }) => status === "completed" || status === "failed"),
    ),
    Effect.repeat({
      until: (rows) => rows.length >= count,
      schedule: Schedule.spaced("100 millis"),
    }),
  );

describe("the command", () => {
  it.live(
    "pauses a pipeline so that its messages wait, resumes it, signals and cancels",
    () =>
      inFolder(
        Effect.fnUntraced(function* (folder: string) {
          const { first } = yield* dev(folder, "--json");
          const connection = yield* decodeConnectionLine(first);
          const sqs = new SQSClient(clientConfig(connection));
          const waiting = Effect.promise(() =>
            sqs.send(
              new GetQueueAttributesCommand({
                QueueUrl: queueUrl(connection.endpoint, localQueues(pipelines.csvToParquet).queue),
                AttributeNames: ["ApproximateNumberOfMessages"],
              }),
            ),
          ).pipe(
            Effect.map(({ Attributes = {} }) => Number(Attributes["ApproximateNumberOfMessages"])),
          );

          const paused = yield* millrace(
            folder,
            "pause",
            "csv-to-parquet",
            "--reason",
            "bad export",
          );
          assert.strictEqual(paused.code, 0, paused.err);
          assert.include(paused.out, "paused csv-to-parquet");
          // Polls that had begun before it are over within a second.
          yield* Effect.sleep("1200 millis");
          yield* write(folder, "broken.csv", "\u0000\u0001\u0002");
          const uploaded = yield* millrace(folder, "upload", "broken.csv");
          assert.strictEqual(uploaded.code, 0, uploaded.err);
          yield* Effect.repeat(waiting, {
            until: (count) => count === 1,
            schedule: Schedule.spaced("50 millis"),
          });
          yield* Effect.sleep("1500 millis");
          assert.strictEqual(yield* waiting, 1);

          const resumed = yield* millrace(folder, "resume", "all", "--json");
          assert.strictEqual(resumed.code, 0, resumed.err);
          const [csv] = yield* Effect.forEach(resumed.out.trim().split("\n"), (line) =>
            decodeResumed(line),
          );
          assert.deepInclude(csv, { pipeline: "csv-to-parquet", before: { reason: "bad export" } });
          const [row] = yield* ended(folder, 1);
          const executionId = row?.executionId ?? "";
          assert.strictEqual(row?.status, "failed");

          // A failed execution keeps signals for its redrive.
          const signalled = yield* millrace(
            folder,
            "signal",
            executionId,
            "approval",
            "--value",
            '{"by":"ada"}',
            "--json",
          );
          assert.strictEqual(signalled.code, 0, signalled.err);
          assert.deepStrictEqual(yield* decodeSignalled(signalled.out), {
            executionId,
            deferred: "approval",
          });
          const again = yield* millrace(folder, "signal", executionId, "approval");
          assert.strictEqual(again.code, 1);
          assert.include(again.err, "the first completion counts");
          const cancelled = yield* millrace(folder, "cancel", executionId);
          assert.strictEqual(cancelled.code, 1);
          assert.include(cancelled.err, "cannot be cancelled, paused or resumed any more");

          // What is no pipeline is taken for an execution.
          assert.strictEqual((yield* millrace(folder, "pause", "no-such-pipeline")).code, 1);
          const tooLate = yield* millrace(folder, "pause", executionId);
          assert.strictEqual(tooLate.code, 1);
          assert.include(tooLate.err, "cannot be cancelled, paused or resumed any more");
          assert.strictEqual((yield* millrace(folder, "signal", executionId)).code, 2);
          assert.strictEqual(
            (yield* millrace(folder, "signal", executionId, "x", "--value", "{no json")).code,
            2,
          );
          for (const command of ["pause", "resume", "signal", "cancel"]) {
            const help = yield* millrace(folder, command, "--help");
            assert.strictEqual(help.code, 0);
            assert.include(help.out, `millrace ${command} `);
            assert.include(help.out, "Exit codes");
          }
        }),
      ),
    patience,
  );
});
