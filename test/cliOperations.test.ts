/**
 * Goal: what failed can be found, looked at, run again from where it failed, run otherwise, and taken elsewhere.
 * Method: the command as people run it, over a local mode with workers; a file that stays broken, and a bucket that is
 * away for a while.
 */
import { CreateBucketCommand, DeleteBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { ReceiveMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { DeleteCommand } from "@aws-sdk/lib-dynamodb";
import { assert, describe, it } from "@effect/vitest";
import { DeadLetter, type ExecutionRow, Executions, HistoryFile } from "@millrace/core";
import { DocumentClient, DynamoExecutions } from "@millrace/core/aws";
import { clientConfig, localBuckets, localQueues, localTables, queueUrl } from "@millrace/local";
import { pipelines } from "@millrace/workflows/topology";
import { Effect, FileSystem, Layer, Path, Schedule, Schema } from "effect";
import {
  decodeConnectionLine,
  decodeListing,
  dev,
  inFolder,
  millrace,
  write,
} from "./cliProcess.ts";

/** Some thirty processes, each of which starts in a second or more on a busy machine. */
const patience = { timeout: 180_000 };

const Redriven = Schema.fromJsonString(
  Schema.Struct({
    executionId: Schema.String,
    forgotten: Schema.Struct({
      activities: Schema.Array(Schema.Struct({ name: Schema.String, attempt: Schema.Int })),
    }),
  }),
);
const decodeRedriven = Schema.decodeUnknownEffect(Redriven);
const Forked = Schema.fromJsonString(
  Schema.Struct({ executionId: Schema.String, created: Schema.Boolean, facts: Schema.Int }),
);
const decodeForked = Schema.decodeUnknownEffect(Forked);
const Shown = Schema.fromJsonString(
  Schema.Struct({
    status: Schema.String,
    redrives: Schema.Int,
    forks: Schema.Array(Schema.String),
    commits: Schema.NonEmptyArray(
      Schema.Struct({
        events: Schema.Array(
          Schema.Struct({
            _tag: Schema.String,
            name: Schema.optionalKey(Schema.String),
            payload: Schema.optionalKey(Schema.Json),
          }),
        ),
      }),
    ),
  }),
);
const decodeShown = Schema.decodeUnknownEffect(Shown);

/** A folder with a local mode and its workers, and what a test does there. */
const startLocal = Effect.fnUntraced(function* (folder: string, ...words: ReadonlyArray<string>) {
  const { first } = yield* dev(folder, "--json", ...words);
  const connection = yield* decodeConnectionLine(first);
  const config = clientConfig(connection);
  const sqs = new SQSClient(config);
  const documents = DocumentClient.layer(config);
  const index = Layer.provide(DynamoExecutions.layerDynamo(localTables.executions), documents);
  const letters: Array<DeadLetter.DeadLetterEnvelope> = [];

  /** Runs a command that succeeds; gives what it prints. */
  const run = Effect.fnUntraced(function* (...words: ReadonlyArray<string>) {
    const { code, err, out } = yield* millrace(folder, ...words);
    assert.strictEqual(code, 0, err);
    return out;
  });
  /** Runs a command that fails; gives the reason. */
  const refused = Effect.fnUntraced(function* (...words: ReadonlyArray<string>) {
    const { code, err, out } = yield* millrace(folder, ...words);
    assert.deepStrictEqual({ code, out }, { code: 1, out: "" });
    assert.match(err, /^millrace: [^\n]*\n$/);
    return err;
  });
  const list = Effect.fnUntraced(function* (...words: ReadonlyArray<string>) {
    return (yield* decodeListing(yield* run("ls", "--json", ...words))).rows;
  });
  return {
    run,
    refused,
    list,
    s3: new S3Client({ ...config, forcePathStyle: true }),
    loseRow: (executionId: string) =>
      DocumentClient.use((client) =>
        Effect.promise(() =>
          client.send(
            new DeleteCommand({ TableName: localTables.executions, Key: { executionId } }),
          ),
        ),
      ).pipe(Effect.provide(documents)),
    show: (name: string) => Effect.flatMap(run("show", name, "--json"), decodeShown),
    /** The executions of which something is true, once there are as many. */
    until: (isIt: (row: ExecutionRow) => boolean, count = 1) =>
      Executions.use((executions) => executions.list({ rowsMax: 100 })).pipe(
        Effect.map(({ rows }) => rows.filter(isIt)),
        Effect.repeat({
          until: (rows) => rows.length >= count,
          schedule: Schedule.spaced("50 millis"),
        }),
        Effect.flatMap(([row]) => Effect.fromNullishOr(row)),
        Effect.provide(index),
      ),
    /** All dead letters of the CSV pipeline so far. */
    letters: Effect.map(
      Effect.promise(() =>
        sqs.send(
          new ReceiveMessageCommand({
            QueueUrl: queueUrl(
              connection.endpoint,
              localQueues(pipelines.csvToParquet).deadLetters,
            ),
            MaxNumberOfMessages: 10,
          }),
        ),
      ).pipe(
        Effect.flatMap(({ Messages = [] }) =>
          Effect.forEach(Messages, ({ Body }) => DeadLetter.decodeEnvelope(Body)),
        ),
      ),
      (found) => {
        letters.push(...found);
        return letters;
      },
    ),
  };
});

const isEnd = ({ status }: ExecutionRow) => status === "completed" || status === "failed";
/** Announcements come beside the work, in whatever order. */
const isWork = (name: string): boolean => !name.startsWith("announce ");

const namesOf = (shown: typeof Shown.Type) =>
  shown.commits.flatMap(({ events }) => events.map(({ _tag, name }) => name ?? _tag));

describe("what failed", () => {
  it.live(
    "is found by its error, and redriven fails again with another dead letter",
    () =>
      inFolder(
        Effect.fnUntraced(function* (folder) {
          yield* write(folder, "broken.csv", "\u0000\u0001\u0002 no text");
          yield* write(folder, "broken too.csv", "\u0000\u0001\u0002 no text either");
          yield* write(folder, "good.csv", "id\n1\n");
          const { letters, list, refused, run, show, until } = yield* startLocal(folder);
          yield* run("upload", "broken.csv", "broken too.csv", "good.csv");
          yield* until(isEnd, 3);

          const failed = yield* list("--status", "failed", "--status", "parked");
          assert.lengthOf(failed, 2);
          const [one, other] = failed;
          assert.deepInclude(one, { errorTag: "CsvNotText" });
          // The same error of two files is one kind of failure.
          assert.strictEqual(one?.errorFingerprint, other?.errorFingerprint);
          const fingerprint = one?.errorFingerprint ?? "";
          const object = `${localBuckets.raw}/incoming/broken.csv`;
          const found = yield* Effect.forEach(
            [
              ["--error", fingerprint, "--since", "1h"],
              ["--object", object, "--workflow", "CsvToParquet"],
              ["--object", `${localBuckets.raw}/incoming/broken*`],
              ["--until", "1h"],
            ],
            (words) => list(...words),
            { concurrency: 2 },
          );
          assert.deepStrictEqual(
            found.map(({ length }) => length),
            [2, 1, 2, 0],
          );

          assert.lengthOf(yield* letters, 2);
          const redriven = yield* decodeRedriven(
            yield* run("redrive", object, "--reason", "to see", "--json"),
          );
          assert.deepStrictEqual(
            redriven.forgotten.activities.map(({ name }) => name).filter(isWork),
            ["validate", "quarantine", "DeadLetter"],
          );
          const again = yield* until((row) => row.status === "failed" && row.redrives === 1);
          assert.strictEqual(again.executionId, redriven.executionId);
          const ofIt = (yield* letters).filter(
            ({ execution }) => execution?.executionId === redriven.executionId,
          );
          assert.lengthOf(ofIt, 2);
          const shown = yield* show(object);
          assert.strictEqual(shown.redrives, 1);
          assert.deepStrictEqual(
            namesOf(shown)
              .filter((name) => /^[a-z]|DeadLetter|Redriven|Completed/.test(name))
              .filter(isWork),
            [
              "validate",
              "quarantine",
              "DeadLetter",
              "Completed",
              "Redriven",
              "validate",
              "quarantine",
              "DeadLetter",
              "Completed",
            ],
          );
          const [text, listing, ...refusals] = yield* Effect.all(
            [
              run("show", object),
              run("ls", "--status", "failed"),
              refused("redrive", "good.csv"),
              refused("redrive", "broken"),
              refused("redrive", "none such"),
            ],
            { concurrency: 2 },
          );
          assert.include(text, "redriven 1 times");
          assert.include(text, "redriven: to see");
          assert.include(listing, `${fingerprint} CsvNotText`);
          assert.match(refusals[0], /is completed, and only what failed/);
          assert.match(refusals[1], /is part of several: /);
          assert.match(refusals[2], /no execution has the id/);
        }),
      ),
    patience,
  );

  it.live(
    "for a reason that has passed succeeds when redriven, from where it failed",
    () =>
      inFolder(
        Effect.fnUntraced(function* (folder) {
          yield* write(folder, "orders.csv", "id,name\n1,a\n");
          const { letters, run, s3, show, until } = yield* startLocal(folder);
          const Bucket = localBuckets.clean;
          yield* Effect.promise(() => s3.send(new DeleteBucketCommand({ Bucket })));
          yield* run("upload", "orders.csv");
          const failed = yield* until(isEnd);
          assert.deepInclude(failed, { status: "failed", errorTag: "ObjectStoreUnavailable" });
          assert.lengthOf(yield* letters, 1);

          yield* Effect.promise(() => s3.send(new CreateBucketCommand({ Bucket })));
          const text = yield* run("redrive", "orders.csv");
          assert.match(text, new RegExp(`^redriven CsvToParquet ${failed.executionId} \\(again: `));
          assert.match(text, /transform.*DeadLetter/);
          assert.notInclude(text, "validate");
          const ended = yield* until(({ status }) => status === "completed");
          assert.deepInclude(ended, { executionId: failed.executionId, redrives: 1 });
          const names = namesOf(yield* show(failed.executionId));
          assert.lengthOf(
            names.filter((name) => name === "validate"),
            1,
          );
          assert.lengthOf(
            names.filter((name) => name === "transform"),
            // A bucket that is not there does not come back by itself: no attempt was repeated before the redrive.
            2,
          );
          assert.lengthOf(yield* letters, 1);
        }),
      ),
    patience,
  );
});

describe("an execution", () => {
  it.live(
    "is forked with other input, exported, and imported elsewhere",
    () =>
      inFolder(
        Effect.fnUntraced(function* (folder) {
          const fs = yield* FileSystem.FileSystem;
          const path = yield* Path.Path;
          const elsewhere = path.join(folder, "elsewhere");
          yield* fs.makeDirectory(elsewhere);
          yield* write(folder, "a.csv", "id\n1\n");
          yield* write(folder, "b.csv", "id\n1\n2\n");
          const { refused, run, show, until } = yield* startLocal(folder);
          yield* run("upload", "a.csv");
          const original = yield* until(isEnd);
          yield* run("upload", "b.csv");
          const ofB = yield* until((row) => isEnd(row) && row.key.includes("b.csv"));

          // From the start, with the payload of the other file.
          const { commits } = yield* show(ofB.executionId);
          yield* write(folder, "payload.json", JSON.stringify(commits[0].events[0]?.payload));
          const fork = ["fork", "a.csv", "--after-event", "1", "--input", "payload.json", "--json"];
          const forked = yield* decodeForked(yield* run(...fork));
          assert.deepInclude(forked, { created: true, facts: 0 });
          const end = yield* until((row) => row.executionId === forked.executionId && isEnd(row));
          assert.deepInclude(end, {
            status: "completed",
            forkedFrom: original.executionId,
            object: `${localBuckets.raw}/incoming/b.csv`,
          });
          assert.include(JSON.stringify(end.result), '"rowsOut":2');
          assert.deepInclude(yield* decodeForked(yield* run(...fork)), {
            executionId: forked.executionId,
            created: false,
          });

          // With what has happened kept: its own input, and nothing runs again.
          const events = commits.flatMap((commit) => commit.events);
          const last =
            1 + events.findIndex((event) => "name" in event && event.name === "transform");
          const kept = yield* decodeForked(
            yield* run("fork", original.executionId, "--after-event", String(last), "--json"),
          );
          assert.strictEqual(kept.facts, 2);
          yield* until((row) => row.executionId === kept.executionId && isEnd(row));
          assert.include(yield* run("show", original.executionId), `forked as ${kept.executionId}`);
          assert.include(
            yield* run("show", kept.executionId),
            `a fork of ${original.executionId} after its event ${last}`,
          );
          assert.match(
            yield* refused("fork", original.executionId, "--after-event", "99"),
            /has the events 1 to \d+, and no event 99/,
          );
          yield* write(folder, "wrong.json", '{"object":{"bucket":7}}');
          assert.match(
            yield* refused("fork", "a.csv", "--after-event", "1", "--input", "wrong.json"),
            /no payload of CsvToParquet.*\["object"\]\["bucket"\]/s,
          );

          const all = path.join(folder, "all.jsonl");
          assert.strictEqual(
            yield* run("export", "--all", "--out", all),
            `4 histories in ${all}\n`,
          );
          const line = yield* run("export", original.executionId);
          const record = yield* HistoryFile.decodeHistory(line, 1);
          assert.strictEqual(record.executionId, original.executionId);
          assert.include(yield* fs.readFileString(all), line);

          const there = yield* startLocal(elsewhere, "--no-workers");
          const imported = yield* there.run("import", all);
          assert.lengthOf(imported.match(/^imported CsvToParquet /gm) ?? [], 4);
          assert.strictEqual(yield* there.run("export", original.executionId), line);
          assert.lengthOf(yield* there.list("--status", "completed"), 4);
          assert.include(yield* there.run("import", all), "present CsvToParquet ");
          // A row that is gone is made again by whoever looks at the history.
          yield* there.loseRow(original.executionId);
          yield* there.run("show", original.executionId);
          yield* there.until(({ executionId }) => executionId === original.executionId);
          const forged = path.join(folder, "forged.jsonl");
          yield* fs.writeFileString(forged, line.replaceAll("a.csv", "c.csv"));
          assert.match(yield* there.refused("import", forged), /has another history of execution/);
          yield* fs.writeFileString(forged, `${line}{"format":"other"}\n`);
          assert.match(yield* there.refused("import", forged), /line 2 holds no history/);
        }),
      ),
    patience,
  );
});
