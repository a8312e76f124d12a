/**
 * Goal: a replay of the archive does what its mode says and its dry run counted, and nothing else.
 * Method: a whole local mode with files that succeed, files that fail and files that were lost; the command as people
 * run it; outputs compared by version, ETag and time.
 */
import { DisableRuleCommand, EnableRuleCommand } from "@aws-sdk/client-eventbridge";
import { ListObjectVersionsCommand } from "@aws-sdk/client-s3";
import { assert, layer } from "@effect/vitest";
import { type ExecutionRow, Executions } from "@millrace/core";
import { localBuckets, localRule } from "@millrace/local";
import { pipelines } from "@millrace/workflows/topology";
import { Effect, Schedule } from "effect";
import { layerLocalWorld, LocalWorld } from "./LocalWorld.ts";
import { openTerminal } from "./operatorWorld.ts";

const goodCount = 5;
const brokenCount = 2;
const executionCount = goodCount + brokenCount;
const broken = "\u0000\u0001\u0002 no text";

const rowsOf = Executions.use((executions) => executions.list({ rowsMax: 200 })).pipe(
  Effect.map(({ rows }) => rows),
);

/** The executions, once something is true of as many. */
const rowsUntil = (isIt: (row: ExecutionRow) => boolean, count: number) =>
  rowsOf.pipe(
    Effect.map((rows) => rows.filter(isIt)),
    Effect.repeat({
      until: ({ length }) => length >= count,
      schedule: Schedule.spaced("50 millis"),
    }),
  );

const hasEnded = ({ status }: ExecutionRow) => status === "completed" || status === "failed";

/** Everything that the pipelines have written: each version with its ETag and time. */
const writtenOutputs = Effect.gen(function* () {
  const { clients } = yield* LocalWorld;
  const listed = yield* Effect.promise(() =>
    Promise.all(
      [localBuckets.clean, localBuckets.errors].map((Bucket) =>
        clients.s3.send(new ListObjectVersionsCommand({ Bucket })),
      ),
    ),
  );
  return listed
    .flatMap(({ Versions = [] }) => Versions)
    .map(({ ETag, Key, LastModified, VersionId }) =>
      [Key, VersionId, ETag, LastModified?.toISOString()].join(" "),
    );
});

const uploadAll = Effect.gen(function* () {
  const { upload } = yield* LocalWorld;
  for (let index = 0; index < goodCount; index++) {
    yield* upload(`incoming/good ${index}.csv`, `id\n${index}\n`);
  }
  for (let index = 0; index < brokenCount; index++) {
    yield* upload(`incoming/broken+${index}.csv`, broken);
  }
  yield* upload("elsewhere/readme.txt", "nothing starts");
  return yield* rowsUntil(hasEnded, executionCount);
});

const world = layerLocalWorld({ timeoutSeconds: 30 });

layer(world, { timeout: "60 seconds", excludeTestServices: true })("millrace replay", (it) => {
  it.effect(
    "does what its mode says, and what its dry run counted",
    () =>
      Effect.gen(function* () {
        const { handled } = yield* LocalWorld;
        const { run } = yield* openTerminal;
        const before = yield* uploadAll;
        const failed = new Set(
          before.flatMap(({ executionId, status }) => (status === "failed" ? [executionId] : [])),
        );
        const outputs = yield* writtenOutputs;
        assert.isAtLeast(outputs.length, goodCount + brokenCount);
        const found = {
          events: executionCount + 1,
          ignored: 1,
          unreadable: 0,
          duplicates: 0,
          executions: executionCount,
          missing: 0,
          underWay: 0,
          finished: goodCount,
          failed: brokenCount,
          started: 0,
          redriven: 0,
          rerun: 0,
          rerunBefore: 0,
          refused: 0,
        };
        const both = Effect.fnUntraced(function* (expected: object, ...words: Array<string>) {
          const replay = ["replay", "--from", "1h", ...words];
          assert.deepInclude(yield* run(...replay, "--dry-run"), { ...expected, dryRun: true });
          assert.deepInclude(yield* run(...replay), { ...expected, dryRun: false });
        });

        const handledBefore = handled.length;
        yield* both({ ...found, left: executionCount });
        assert.deepStrictEqual(yield* writtenOutputs, outputs);
        assert.deepStrictEqual(yield* rowsOf, before);
        assert.lengthOf(handled, handledBefore);

        yield* both({ ...found, redriven: brokenCount, left: goodCount }, "--mode", "failed");
        const redriven = yield* rowsUntil(
          (row) => row.redrives === 1 && hasEnded(row),
          brokenCount,
        );
        assert.deepStrictEqual(new Set(redriven.map(({ executionId }) => executionId)), failed);
        assert.deepStrictEqual(
          (yield* rowsOf).filter(({ redrives }) => redrives === undefined),
          before.filter(({ executionId }) => !failed.has(executionId)),
        );

        const rerun = ["--mode", "rerun", "--label", "again", "--rate", "100/s"];
        yield* both({ ...found, rerun: executionCount, left: 0 }, ...rerun);
        const forks = yield* rowsUntil(
          (row) => row.forkedFrom !== undefined && hasEnded(row),
          executionCount,
        );
        assert.deepStrictEqual(
          new Set(forks.map(({ forkedFrom }) => forkedFrom)),
          new Set(before.map(({ executionId }) => executionId)),
        );
        yield* both({ ...found, rerunBefore: executionCount, left: 0 }, ...rerun);
        assert.lengthOf(yield* rowsOf, 2 * executionCount);
      }).pipe(Effect.scoped),
    180_000,
  );

  it.effect(
    "starts what was lost, once, in the pipelines asked for",
    () =>
      Effect.gen(function* () {
        const { clients, upload } = yield* LocalWorld;
        const { run, text } = yield* openTerminal;
        const Name = localRule(pipelines.csvToParquet);
        const known = (yield* rowsOf).length;
        yield* Effect.promise(() => clients.events.send(new DisableRuleCommand({ Name })));
        yield* upload("incoming/lost.csv", "id\n1\n");
        yield* Effect.promise(() => clients.events.send(new EnableRuleCommand({ Name })));

        const replay = ["replay", "--from", "1h", "--rate", "50/s"];
        assert.deepInclude(yield* run(...replay, "--mode", "failed", "--dry-run"), {
          missing: 1,
          started: 0,
        });
        assert.deepInclude(yield* run(...replay, "--pipeline", "image-renditions"), {
          executions: 0,
          started: 0,
        });
        assert.deepInclude(yield* run(...replay, "--dry-run"), { missing: 1, started: 1 });
        assert.lengthOf(yield* rowsOf, known);
        assert.deepInclude(yield* run(...replay), { missing: 1, started: 1 });
        const [lost] = yield* rowsUntil(
          (row) => row.key.includes("lost.csv") && row.status === "completed",
          1,
        );
        assert.isDefined(lost);
        assert.deepInclude(yield* run(...replay), { missing: 0, started: 0 });
        assert.lengthOf(yield* rowsOf, known + 1);

        const wrong = yield* text("replay", "--from", "1h", "--to", "2h");
        assert.strictEqual(wrong.code, 2);
        assert.include(wrong.err, "--from must be earlier than --to");
      }).pipe(Effect.scoped),
    120_000,
  );
});
