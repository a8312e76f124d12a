/**
 * Goal: dead letters are read without being lost, brought back once, and dropped only on purpose and to a file;
 * failed executions are redriven by query, once each.
 * Method: a whole local mode whose CSV pipeline gets broken files, and messages in its dead-letter queue as the queue
 * itself puts them there; the command as people run it.
 */
import { readFileSync } from "node:fs";
import { SendMessageCommand, SetQueueAttributesCommand } from "@aws-sdk/client-sqs";
import { assert, layer } from "@effect/vitest";
import { type ExecutionRow, Executions } from "@millrace/core";
import { localQueues, queueUrl } from "@millrace/local";
import { pipelines } from "@millrace/workflows/topology";
import { Effect, Schedule, Schema } from "effect";
import { eventOf } from "./events.ts";
import { layerLocalWorld, LocalWorld } from "./LocalWorld.ts";
import { openTerminal } from "./operatorWorld.ts";

const pipeline = pipelines.csvToParquet.name;
const broken = "\u0000\u0001\u0002 no text";

const decodeLetters = Schema.decodeUnknownEffect(
  Schema.Struct({
    total: Schema.Int,
    letters: Schema.Array(
      Schema.Struct({
        id: Schema.String,
        origin: Schema.String,
        subject: Schema.String,
        cause: Schema.Struct({ tag: Schema.String }),
        execution: Schema.optionalKey(Schema.Struct({ executionId: Schema.String })),
      }),
    ),
  }),
);

const rowsUntil = (isIt: (row: ExecutionRow) => boolean, count: number) =>
  Executions.use((executions) => executions.list({ rowsMax: 100 })).pipe(
    Effect.map(({ rows }) => rows.filter(isIt)),
    Effect.repeat({
      until: ({ length }) => length >= count,
      schedule: Schedule.spaced("50 millis"),
    }),
  );
const redrivenTimes = (times: number) => (row: ExecutionRow) =>
  row.status === "failed" && (row.redrives ?? 0) === times;

const open = Effect.gen(function* () {
  const terminal = yield* openTerminal;
  return {
    ...terminal,
    /** The letters, once there are as many. */
    letters: (count: number) =>
      terminal.run("dlq", "ls", pipeline).pipe(
        Effect.flatMap(decodeLetters),
        Effect.repeat({ until: ({ letters }) => letters.length >= count, times: 20 }),
        Effect.map(({ letters }) => letters),
      ),
  };
});

/** Puts a message where the queue puts what it gives up on. */
const giveUp = Effect.fnUntraced(function* (body: string) {
  const { clients, connection } = yield* LocalWorld;
  const QueueUrl = queueUrl(connection.endpoint, localQueues(pipelines.csvToParquet).deadLetters);
  yield* Effect.promise(() =>
    clients.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: body })),
  );
});

const world = layerLocalWorld({ timeoutSeconds: 30 });

layer(world, { timeout: "60 seconds", excludeTestServices: true })("an operator", (it) => {
  it.effect(
    "redrives what failed by query, counted first, and each once",
    () =>
      Effect.gen(function* () {
        const { upload } = yield* LocalWorld;
        const { run, text } = yield* open;
        for (const name of ["a", "b", "c"]) yield* upload(`incoming/${name}.csv`, broken);
        yield* upload("incoming/good.csv", "id\n1\n");
        const [one] = yield* rowsUntil(redrivenTimes(0), 3);
        yield* rowsUntil(({ status }) => status === "completed", 1);

        const query = ["redrive", "--error", one?.errorFingerprint ?? "", "--rate", "100/s"];
        const counts = { selected: 3, redriven: 3, notFailed: 0, refused: 0 };
        assert.deepStrictEqual(yield* run(...query, "--dry-run"), { dryRun: true, ...counts });
        assert.deepStrictEqual(yield* run(...query), { dryRun: false, ...counts });
        const again = yield* rowsUntil(redrivenTimes(1), 3);
        assert.deepStrictEqual(yield* run(...query, "--until", "1h"), {
          dryRun: false,
          selected: 0,
          redriven: 0,
          notFailed: 0,
          refused: 0,
        });
        // By name, one that has not failed is counted as that.
        const [first] = again;
        assert.deepStrictEqual(
          yield* run("redrive", first?.executionId ?? "", "incoming/good.csv"),
          { dryRun: false, selected: 2, redriven: 1, notFailed: 1, refused: 0 },
        );
        yield* rowsUntil(redrivenTimes(2), 1);
        assert.strictEqual((yield* text("redrive", "no such one", "--dry-run")).code, 1);
        const wrong = yield* text("redrive");
        assert.strictEqual(wrong.code, 2);
        assert.include(wrong.err, "say what to redrive");
      }).pipe(Effect.scoped),
    120_000,
  );

  it.effect(
    "reads dead letters, brings back what they are about, and drops the rest",
    () =>
      Effect.gen(function* () {
        const { upload, handledAbout } = yield* LocalWorld;
        const { letters, path, run, runTo, text } = yield* open;
        const lost = yield* upload("incoming/given-up.csv", "id\n1\n");
        yield* giveUp(eventOf({ ...lost, sizeBytes: 5 }));
        yield* giveUp("no message of anybody");
        // Three failed, then were redriven; one of them twice.
        const all = yield* letters(3 + 3 + 1 + 2);
        assert.lengthOf(all, 9);
        const byOrigin = (origin: string) => all.filter((letter) => letter.origin === origin);
        assert.lengthOf(byOrigin("pipeline"), 7);
        assert.deepStrictEqual(
          byOrigin("queue")
            .map(({ cause }) => cause.tag)
            .toSorted(),
          ["MessageUnreadable", "ReceivedTooOften"],
        );
        assert.deepStrictEqual(
          new Set((yield* letters(9)).map(({ id }) => id)),
          new Set(all.map(({ id }) => id)),
        );
        const givenUp = byOrigin("queue").find(({ subject }) => subject === lost.subject);
        const shown = yield* text("dlq", "show", pipeline, givenUp?.id ?? "");
        assert.include(shown.out, "sends the original to the pipeline's queue");
        assert.include(shown.out, '"key":"incoming/given-up.csv"');

        // The original of the one, and the execution of the other.
        const joined = handledAbout(lost.subject).length;
        const counts = { selected: 1, redriven: 0, sent: 1, settled: 0, refused: 0 };
        const one = ["dlq", "redrive", pipeline, givenUp?.id ?? ""];
        assert.deepStrictEqual(yield* run(...one, "--dry-run"), { dryRun: true, ...counts });
        assert.deepStrictEqual(yield* run(...one), { dryRun: false, ...counts });
        yield* Effect.sync(() => handledAbout(lost.subject).length).pipe(
          Effect.repeat({
            until: (count) => count > joined,
            schedule: Schedule.spaced("50 millis"),
          }),
        );
        assert.strictEqual((yield* text(...one)).code, 1);

        const [row] = yield* rowsUntil(redrivenTimes(2), 1);
        const ofRow = byOrigin("pipeline").filter(
          ({ execution }) => execution?.executionId === row?.executionId,
        );
        assert.lengthOf(ofRow, 3);
        const [letter] = ofRow;
        assert.deepInclude(yield* run("dlq", "redrive", pipeline, letter?.id.slice(0, 13) ?? ""), {
          selected: 1,
          redriven: 1,
        });
        yield* rowsUntil(redrivenTimes(3), 1);
        // Nine, without the two, with that of the new failure.
        assert.lengthOf(yield* letters(8), 8);

        const drop = ["dlq", "drop", pipeline, "--all"];
        const unconfirmed = yield* text(...drop);
        assert.strictEqual(unconfirmed.code, 1);
        assert.include(unconfirmed.err, "say --yes");
        assert.deepStrictEqual(yield* run(...drop, "--dry-run"), { dryRun: true, dropped: 8 });
        const file = path("dropped.jsonl");
        assert.deepStrictEqual(yield* run(...drop, "--yes", "--out", file), {
          dryRun: false,
          dropped: 8,
          file,
        });
        const lines = readFileSync(file, "utf8").trimEnd().split("\n");
        assert.lengthOf(new Set(lines), 8);
        assert.lengthOf(
          lines.filter((line) => line.includes("no message of anybody")),
          1,
        );
        assert.lengthOf(yield* letters(0), 0);
        // The file is not written over.
        assert.strictEqual((yield* text(...drop, "--yes", "--out", file)).code, 1);
        yield* runTo(0, "dlq", "ls", pipeline, "--undelivered");
      }).pipe(Effect.scoped),
    180_000,
  );

  it.effect(
    "leaves letters that come while it works, and those whose originals the queue refuses",
    () =>
      Effect.gen(function* () {
        const { clients, connection } = yield* LocalWorld;
        const { letters, run, text } = yield* open;
        yield* run("redrive", "--status", "failed", "--rate", "100/s");
        assert.lengthOf(yield* letters(3), 3);
        // Each fails again, and sends a letter, before the next is redriven.
        assert.deepInclude(yield* run("dlq", "redrive", pipeline, "--all", "--rate", "1/s"), {
          selected: 3,
          redriven: 3,
        });
        assert.lengthOf(yield* letters(3), 3);

        yield* giveUp("x".repeat(3_000));
        const QueueUrl = queueUrl(connection.endpoint, localQueues(pipelines.csvToParquet).queue);
        yield* Effect.promise(() =>
          clients.sqs.send(
            new SetQueueAttributesCommand({ QueueUrl, Attributes: { MaximumMessageSize: "1024" } }),
          ),
        );
        const given = (yield* letters(4)).find(({ origin }) => origin === "queue");
        const refused = yield* text("dlq", "redrive", pipeline, given?.id ?? "");
        assert.strictEqual(refused.code, 1);
        assert.match(refused.err, /did not take the message/);
        assert.include(
          (yield* letters(4)).map(({ id }) => id),
          given?.id,
        );
      }).pipe(Effect.scoped),
    120_000,
  );
});
