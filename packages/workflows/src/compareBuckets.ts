/**
 * The buckets against the executions, as they are now: the lists are read, compared (see Reconciliation), and what seems
 * to be missing is looked for in the journal.
 *
 * The lists are held in memory, some 200 bytes for each object and execution.
 */
import { type ExecutionRow, type ObjectVersion, Operations, toObjectCreated } from "@millrace/core";
import { Clock, Effect } from "effect";
import { executionsOf } from "./executionsOf.ts";
import { outputsOf } from "./outputsOf.ts";
import { type BucketName, type PipelineTopology, topology } from "./topology.ts";

/** Lists the versions of a bucket below a prefix, page by page. */
export type ListVersions<F> = <E, R>(
  where: { readonly bucket: string; readonly prefix: string },
  use: (versions: ReadonlyArray<ObjectVersion>) => Effect.Effect<void, E, R>,
) => Effect.Effect<void, E | F, R>;

export interface Compared<F> {
  readonly list: ListVersions<F>;
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
export const compareBuckets = Effect.fnUntraced(function* <F>(compared: Compared<F>) {
  const { advance = () => Effect.void, buckets, list, pipelines, windowMs } = compared;
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
    yield* list({ bucket: buckets[bucket], prefix }, (page) => {
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
const writtenByOthers = ({
  buckets,
  pipelines,
}: Pick<Compared<never>, "buckets" | "pipelines">) => {
  const asked = new Set(pipelines.map(({ name }) => name));
  const others = [...topology.pipelines, ...topology.chains]
    .filter(({ name }) => !asked.has(name))
    .flatMap(({ outputs }) => outputs);
  return (output: Operations.OutputRef): boolean =>
    others.some(
      ({ bucket, prefix }) => buckets[bucket] === output.bucket && output.key.startsWith(prefix),
    );
};

const readVersions = <F>(
  { advance = () => Effect.void, buckets, list }: Compared<F>,
  pipeline: PipelineTopology,
  versions: Array<Operations.ListedVersion>,
) => {
  const bucket = buckets[pipeline.trigger.bucket];
  const executions = executionsOf([pipeline], buckets);
  return list(
    { bucket, prefix: pipeline.trigger.prefix },
    Effect.fnUntraced(function* (page) {
      for (const version of page) {
        const { key, versionId } = version;
        // Of what has no version id nobody can tell its execution's id.
        if (versionId === undefined) continue;
        versions.push({
          subject: `${bucket}/${key}@${versionId}`,
          bucket,
          key,
          isLatest: version.isLatest,
          modifiedEpochMs: version.modifiedEpochMs,
          executions: yield* executions(toObjectCreated(bucket, version)),
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
