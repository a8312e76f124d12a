/**
 * The buckets against the executions, as they are now: the lists are read, compared (see Reconciliation), and what seems
 * to be missing is looked for in the journal.
 *
 * The lists are held in memory, some 200 bytes for each object and execution.
 */
import type { S3Client } from "@aws-sdk/client-s3";
import { type ExecutionRow, Operations } from "@millrace/core";
import { listVersions } from "@millrace/core/aws";
import { executionsOf } from "@millrace/workflows/executionsOf";
import { outputsOf } from "@millrace/workflows/outputsOf";
import { type BucketName, type PipelineTopology, topology } from "@millrace/workflows/topology";
import { Clock, Effect } from "effect";

export interface Compared {
  readonly s3: S3Client;
  /** Real names of the buckets. */
  readonly buckets: Readonly<Record<BucketName, string>>;
  readonly pipelines: ReadonlyArray<PipelineTopology>;
  readonly graceMs: number;
  readonly openMsMax: number;
  /** Only what came within that time is judged. @default all is */
  readonly windowMs?: number;
  /** Told how many entries of the lists were read. */
  readonly advance?: (amount: number) => Effect.Effect<void>;
}

/** A reconciliation whose missing executions were looked for in the journal, too. */
export interface Comparison extends Operations.Reconciliation {
  /** Executions whose row in the index is lost. */
  readonly rowsLost: ReadonlyArray<{ readonly executionId: string; readonly subject: string }>;
}

/** Reads the lists in an order in which what arrives meanwhile is no finding: objects, executions, outputs. */
export const compareBuckets = Effect.fnUntraced(function* (compared: Compared) {
  const { advance = () => Effect.void, buckets, pipelines, s3, windowMs } = compared;
  const nowEpochMs = yield* Clock.currentTimeMillis;
  const sinceEpochMs = windowMs === undefined ? undefined : nowEpochMs - windowMs;
  const versions: Array<Operations.ListedVersion> = [];
  const rows: Array<ExecutionRow> = [];
  const outputs = new Map<string, number>();
  for (const pipeline of pipelines) {
    yield* readVersions(compared, pipeline, versions);
  }
  for (const { workflow } of pipelines) {
    yield* Operations.rowPages({ workflow, sinceEpochMs }, (page) => {
      rows.push(...page);
      return advance(page.length);
    });
  }
  for (const { bucket, prefix } of pipelines.flatMap((pipeline) => pipeline.outputs)) {
    // What lies there is not named by a result, but by a failure.
    if (bucket === "errors") continue;
    yield* listVersions(s3, { bucket: buckets[bucket], prefix }, (page) => {
      for (const { isLatest, key, modifiedEpochMs } of page) {
        if (isLatest) outputs.set(`${buckets[bucket]}/${key}`, modifiedEpochMs);
      }
      return advance(page.length);
    });
  }
  const { graceMs, openMsMax } = compared;
  const lists = { versions, rows, outputs, outputsOf };
  const found = Operations.reconcile({
    ...lists,
    nowEpochMs,
    graceMs,
    openMsMax,
    sinceEpochMs,
  });
  const isOthers = writtenByOthers(compared);
  return yield* withJournal({
    ...found,
    outputsWithoutEnd: found.outputsWithoutEnd.filter((output) => !isOthers(output)),
  });
});

/** Whether a pipeline may have written an output whose executions were not asked for. */
const writtenByOthers = ({ buckets, pipelines }: Compared) => {
  const asked = new Set(pipelines.map(({ name }) => name));
  const others = [...topology.pipelines, ...topology.chains]
    .filter(({ name }) => !asked.has(name))
    .flatMap(({ outputs }) => outputs);
  return (output: Operations.OutputRef): boolean =>
    others.some(
      ({ bucket, prefix }) => buckets[bucket] === output.bucket && output.key.startsWith(prefix),
    );
};

const readVersions = (
  { advance = () => Effect.void, buckets, s3 }: Compared,
  pipeline: PipelineTopology,
  versions: Array<Operations.ListedVersion>,
) => {
  const bucket = buckets[pipeline.trigger.bucket];
  const executions = executionsOf([pipeline], buckets);
  return listVersions(
    s3,
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
  return { ...found, objectsWithoutExecution: missing, rowsLost } satisfies Comparison;
});
