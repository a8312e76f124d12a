/**
 * `millrace reconcile`: the buckets against the executions, and the command that puts each finding right. Changes
 * nothing itself.
 */
import { type ExecutionRow, Operations } from "@millrace/core";
import { type AwsConnection, localBuckets } from "@millrace/local";
import { type PipelineTopology } from "@millrace/workflows/topology";
import { Clock, Console, Effect, Option, Schema } from "effect";
import { Command } from "effect/cli";
import { findConnection } from "./Connection.ts";
import { jsonFlag } from "./jsonFlag.ts";
import { listVersions } from "./listVersions.ts";
import { outputsOf } from "./outputsOf.ts";
import { pipelineFlag } from "./pipelineFlag.ts";
import { makeCounter } from "./Progress.ts";
import { ageFlag } from "./queryFlags.ts";
import { fixesOf, renderReconciliation } from "./reconcileReport.ts";
import { rowPages } from "./rowPages.ts";
import { layerStores } from "./stores.ts";
import { executionsOf, pipelinesNamed } from "./triggered.ts";

/** Something does not agree. */
export class Unreconciled extends Schema.TaggedError<Unreconciled>()("Unreconciled", {
  findings: Schema.Int,
}) {
  override get message(): string {
    return `${this.findings} findings: each names the command that puts it right`;
  }
}

export const reconcile = Command.make(
  "reconcile",
  {
    pipeline: pipelineFlag,
    grace: ageFlag("grace", "Uploads younger than this may be on their way: 30s, 5m", "5m"),
    openLonger: ageFlag("open-longer", "Executions open for longer are findings: 6h, 2d", "1d"),
    json: jsonFlag,
  },
  Effect.fnUntraced(function* ({ grace, json, openLonger, pipeline }) {
    const connection = yield* findConnection;
    const among = pipelinesNamed(Option.getOrUndefined(pipeline));
    const found = yield* compare(connection, among, { graceMs: grace, openMsMax: openLonger }).pipe(
      Effect.provide(layerStores(connection)),
    );
    const fixes = fixesOf(found);
    yield* Console.log(
      json ? JSON.stringify({ ...found, fixes }) : renderReconciliation(found, fixes).join("\n"),
    );
    const findings = Object.values(found)
      .map((one) => (Array.isArray(one) ? one.length : 0))
      .reduce((sum, count) => sum + count, 0);
    if (findings > 0) return yield* new Unreconciled({ findings });
  }),
).pipe(
  Command.withDescription(
    "Compare the buckets with the executions: uploads without an execution, executions without their object, completed executions whose output is gone or was written by others later, and executions that are open too long. Each finding comes with the command that puts it right. Exit codes: 0 all agree; 1 there are findings, or the buckets or stores did not answer; 2 wrong usage",
  ),
  Command.withShortDescription(
    "Compare the buckets with the executions, and offer what puts them right",
  ),
  Command.withExamples([
    { command: "millrace reconcile", description: "All pipelines" },
    {
      command: "millrace reconcile --pipeline csv-to-parquet --open-longer 2h --json",
      description: "One pipeline, for a daily check",
    },
  ]),
);

/** Reads the lists in an order in which what arrives meanwhile is no finding: objects, executions, outputs. */
const compare = Effect.fnUntraced(function* (
  connection: AwsConnection,
  among: ReadonlyArray<PipelineTopology>,
  limits: { readonly graceMs: number; readonly openMsMax: number },
) {
  const nowEpochMs = yield* Clock.currentTimeMillis;
  const counter = yield* makeCounter("read");
  return yield* Effect.gen(function* () {
    const versions: Array<Operations.ListedVersion> = [];
    const rows: Array<ExecutionRow> = [];
    const outputs = new Map<string, number>();
    for (const pipeline of among) {
      yield* readVersions(connection, pipeline, versions, counter.advance);
    }
    for (const { workflow } of among) {
      yield* rowPages({ workflow }, (page) => {
        rows.push(...page);
        return counter.advance(page.length);
      });
    }
    for (const { bucket, prefix } of among.flatMap((pipeline) => pipeline.outputs)) {
      yield* listVersions(connection, { bucket: localBuckets[bucket], prefix }, (page) => {
        for (const { isLatest, key, modifiedEpochMs } of page) {
          if (isLatest) outputs.set(`${localBuckets[bucket]}/${key}`, modifiedEpochMs);
        }
        return counter.advance(page.length);
      });
    }
    const input = { versions, rows, outputs, outputsOf, nowEpochMs, ...limits };
    return yield* withJournal(Operations.reconcile(input));
  }).pipe(Effect.ensuring(counter.clear));
});

const readVersions = (
  connection: AwsConnection,
  pipeline: PipelineTopology,
  versions: Array<Operations.ListedVersion>,
  advance: (amount: number) => Effect.Effect<void>,
) => {
  const bucket = localBuckets[pipeline.trigger.bucket];
  const executions = executionsOf([pipeline]);
  return listVersions(
    connection,
    { bucket, prefix: pipeline.trigger.prefix },
    Effect.fnUntraced(function* (page) {
      for (const { key, versionId, ...version } of page) {
        // Of what has no version id nobody can tell its execution's id.
        if (versionId === undefined) continue;
        versions.push({
          subject: `${bucket}/${key}@${versionId}`,
          bucket,
          key,
          isLatest: version.isLatest,
          modifiedEpochMs: version.modifiedEpochMs,
          executions: yield* executions({
            bucket,
            key,
            versionId,
            etag: version.etag,
            sizeBytes: version.sizeBytes,
            sequencer: "",
            eventEpochMs: version.modifiedEpochMs,
          }),
        });
      }
      yield* advance(page.length);
    }),
  );
};

/** The index may have lost a row: only the journal can say that there is no execution. */
const withJournal = Effect.fnUntraced(function* (found: Operations.Reconciliation) {
  const missing = yield* Effect.filter(
    found.objectsWithoutExecution,
    ({ executionId }) =>
      Effect.map(Operations.standingOf(executionId), (standing) => standing === "missing"),
    { concurrency: 8 },
  );
  const rowsLost = found.objectsWithoutExecution
    .filter((one) => !missing.includes(one))
    .map(({ executionId, subject }) => ({ executionId, subject }));
  return { ...found, objectsWithoutExecution: missing, rowsLost };
});
