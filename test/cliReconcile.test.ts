/**
 * Goal: what is in the buckets and what the executions say is compared, and what is missing is brought in once, even
 * when the operator stops in the middle.
 * Method: a whole local mode in which uploads, outputs and an object are lost on purpose; the command as people run it.
 */
import { existsSync, readdirSync } from "node:fs";
import { DisableRuleCommand, EnableRuleCommand } from "@aws-sdk/client-eventbridge";
import { DeleteObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { assert, layer } from "@effect/vitest";
import { type ExecutionRow, Executions } from "@millrace/core";
import { localBuckets, localRule } from "@millrace/local";
import { pipelines } from "@millrace/workflows/topology";
import { Effect, Schedule, Schema } from "effect";
import { start, stop } from "./cliProcess.ts";
import { layerLocalWorld, LocalWorld } from "./LocalWorld.ts";
import { openTerminal } from "./operatorWorld.ts";

const Finding = Schema.Struct({ executionId: Schema.String, subject: Schema.String });
const decodeFound = Schema.decodeUnknownEffect(
  Schema.Struct({
    objects: Schema.Int,
    executions: Schema.Int,
    objectsWithoutExecution: Schema.Array(Finding),
    executionsWithoutObject: Schema.Array(Finding),
    completedWithoutOutput: Schema.Array(Finding),
    outputsWrittenByOthers: Schema.Array(Finding),
    openTooLong: Schema.Array(Finding),
    rowsLost: Schema.Array(Finding),
    fixes: Schema.Record(Schema.String, Schema.Array(Schema.String)),
  }),
);
const decodeWhere = Schema.decodeUnknownEffect(
  Schema.Struct({
    found: Schema.Array(
      Schema.Struct({
        state: Schema.String,
        executionId: Schema.optionalKey(Schema.String),
        next: Schema.optionalKey(Schema.String),
      }),
    ),
  }),
);
const decodeCounts = Schema.decodeUnknownEffect(
  Schema.Struct({ objects: Schema.Int, sent: Schema.Int, known: Schema.Int }),
);

const completedUntil = (isIt: (row: ExecutionRow) => boolean, count: number) =>
  Executions.use((executions) => executions.list({ rowsMax: 100 })).pipe(
    Effect.map(({ rows }) => rows.filter((row) => row.status === "completed" && isIt(row))),
    Effect.repeat({
      until: ({ length }) => length >= count,
      schedule: Schedule.spaced("50 millis"),
    }),
  );

/** Uploads whose events reach no pipeline. */
const uploadUnnoticed = Effect.fnUntraced(function* (keys: ReadonlyArray<string>) {
  const { clients, upload } = yield* LocalWorld;
  const Name = localRule(pipelines.csvToParquet);
  yield* Effect.promise(() => clients.events.send(new DisableRuleCommand({ Name })));
  for (const key of keys) yield* upload(key, "id\n1\n");
  yield* Effect.promise(() => clients.events.send(new EnableRuleCommand({ Name })));
});

const outputOf = (row: ExecutionRow | undefined): string =>
  /processed\/[^"]+\.parquet/.exec(JSON.stringify(row?.result))?.[0] ?? "";

const ids = (findings: ReadonlyArray<typeof Finding.Type>) =>
  findings.map(({ executionId }) => executionId);

const world = layerLocalWorld({ timeoutSeconds: 30 });

layer(world, { timeout: "60 seconds", excludeTestServices: true })("an operator", (it) => {
  it.effect(
    "is told what the buckets and the executions say against each other, and how to put it right",
    () =>
      Effect.gen(function* () {
        const { clients, process: complete, remove, upload } = yield* LocalWorld;
        const { run, runTo, text } = yield* openTerminal;
        const good = yield* complete("incoming/good.csv", "id\n1\n");
        const noOutput = yield* complete("incoming/no output.csv", "id\n1\n");
        const written = yield* complete("incoming/written over.csv", "id\n1\n");
        const gone = yield* complete("incoming/gone.csv", "id\n1\n");
        yield* upload("elsewhere/readme.txt", "nothing starts");
        const reconcile = ["reconcile", "--grace", "0s"];
        const clean = yield* Effect.flatMap(run(...reconcile), decodeFound);
        assert.deepInclude(clean, { objects: 4, executions: 4 });
        assert.deepStrictEqual(new Set(Object.values(clean.fixes).flat()), new Set());

        yield* uploadUnnoticed(["incoming/lost+1.csv"]);
        const Bucket = localBuckets.clean;
        yield* Effect.promise(() =>
          clients.s3.send(new DeleteObjectCommand({ Bucket, Key: outputOf(noOutput.row) })),
        );
        yield* remove(gone.uploaded.key, gone.uploaded.versionId);
        // Later than the tolerance for the whole seconds of an object's time.
        yield* Effect.sleep("6 seconds");
        yield* Effect.promise(() =>
          clients.s3.send(
            new PutObjectCommand({ Bucket, Key: outputOf(written.row), Body: "by hand" }),
          ),
        );
        const found = yield* Effect.flatMap(
          // A moment later, so that the object's whole second has passed.
          Effect.delay(runTo(1, ...reconcile, "--open-longer", "0s"), "1 second"),
          decodeFound,
        );
        assert.lengthOf(found.objectsWithoutExecution, 1);
        assert.include(found.objectsWithoutExecution[0]?.subject, "incoming/lost+1.csv@");
        assert.deepStrictEqual(ids(found.executionsWithoutObject), [gone.row.executionId]);
        assert.deepStrictEqual(ids(found.completedWithoutOutput), [noOutput.row.executionId]);
        assert.deepStrictEqual(ids(found.outputsWrittenByOthers), [written.row.executionId]);
        assert.deepStrictEqual([...found.openTooLong, ...found.rowsLost], []);
        assert.include((yield* text(...reconcile)).out, "1 objects without an execution");
        // Too young to be judged, all of them.
        assert.deepInclude(yield* runTo(1, "reconcile"), { objectsWithoutExecution: [] });

        const where = (name: string) => Effect.flatMap(run("where", name), decodeWhere);
        assert.deepStrictEqual((yield* where("lost+1.csv")).found, [
          {
            state: "uploaded, without an execution",
            next: `millrace backfill s3://${localBuckets.raw}/incoming/lost+1.csv`,
          },
        ]);
        assert.deepStrictEqual((yield* where(`s3://${localBuckets.raw}/incoming/good.csv`)).found, [
          { state: "completed", executionId: good.row.executionId },
        ]);
        const nowhere = yield* text("where", "no such.csv");
        assert.strictEqual(nowhere.code, 1);
        assert.include(nowhere.err, 'is called "no such.csv": it was not uploaded there');

        // What is offered puts it right.
        for (const kind of ["objectsWithoutExecution", "completedWithoutOutput"]) {
          for (const command of found.fixes[kind] ?? []) {
            yield* run(...command.split(" ").slice(1));
          }
        }
        yield* completedUntil(({ key }) => key.includes("lost+1.csv"), 1);
        yield* completedUntil(({ forkedFrom }) => forkedFrom === noOutput.row.executionId, 1);
        const after = yield* Effect.flatMap(runTo(1, ...reconcile), decodeFound);
        assert.deepStrictEqual(after.objectsWithoutExecution, []);
        assert.deepStrictEqual(after.completedWithoutOutput, []);

        // Where is my file, and how do I get it back: one command each.
        yield* upload("incoming/broken.csv", "\u0000\u0001 no text");
        const failed = yield* where("broken.csv").pipe(
          Effect.repeat({ until: ({ found }) => found[0]?.state === "failed", times: 20 }),
        );
        const [, ...redrive] = failed.found[0]?.next?.split(" ") ?? [];
        assert.deepInclude(yield* run(...redrive), {
          executionId: failed.found[0]?.executionId,
        });
      }).pipe(Effect.scoped),
    120_000,
  );

  it.effect(
    "backfills what has no execution, once, and goes on where it was stopped",
    () =>
      Effect.gen(function* () {
        const { handled, until } = yield* LocalWorld;
        const { folder, path, run, text } = yield* openTerminal;
        const count = 24;
        const keys = Array.from(
          { length: count },
          (_, index) => `incoming/backfill/${String(index).padStart(2, "0")} +é.csv`,
        );
        yield* uploadUnnoticed([...keys, "incoming/backfill/readme.txt"]);
        const place = `s3://${localBuckets.raw}/incoming/backfill/`;
        const backfill = ["backfill", place];
        const all = { objects: count + 1, ignored: 1, unversioned: 0, known: 0, sent: count };
        assert.deepInclude(yield* run(...backfill, "--dry-run"), { dryRun: true, ...all });
        assert.lengthOf(yield* completedUntil(({ key }) => key.includes("/backfill/"), 0), 0);

        const child = start(folder, ...backfill, "--rate", "6/s");
        let out = "";
        child.stdout?.on("data", (text) => (out += String(text)));
        const progressFiles = () =>
          readdirSync(path(".millrace")).filter((name) => name.startsWith("backfill-"));
        yield* Effect.sync(progressFiles).pipe(
          Effect.repeat({
            until: ({ length }) => length > 0,
            schedule: Schedule.spaced("20 millis"),
          }),
        );
        assert.strictEqual(yield* stop(child), 130);
        assert.match(out, /^\d+ objects: \d+ sent, 0 known already/);

        const rest = yield* Effect.flatMap(run(...backfill, "--rate", "100/s"), decodeCounts);
        assert.strictEqual(rest.objects, count + 1);
        assert.strictEqual(rest.sent + rest.known, count);
        assert.deepStrictEqual(progressFiles(), []);
        yield* completedUntil(({ key }) => key.includes("/backfill/"), count);
        const started = () =>
          handled.filter(
            ({ outcome, subject }) => outcome === "started" && subject.includes("/backfill/"),
          );
        // A function says what it did after it did it: the index may know of an end before its line is here.
        yield* until(() => started().length >= count);
        assert.deepInclude(yield* run(...backfill), { ...all, known: count, sent: 0 });
        // The event and the listing announce the same upload.
        assert.deepInclude(yield* run("replay", "--from", "1h"), { missing: 0, started: 0 });
        assert.lengthOf(started(), count);

        const wrong = yield* text("backfill", "incoming/");
        assert.strictEqual(wrong.code, 2);
        assert.include(wrong.err, "a place like s3://bucket/prefix");
        assert.strictEqual((yield* text("backfill", "s3://no-such-bucket/")).code, 1);
        assert.isTrue(existsSync(path(".millrace/connection.json")));
      }).pipe(Effect.scoped),
    120_000,
  );
});
