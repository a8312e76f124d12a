/**
 * The function of the reconciler: a schedule invokes it, it compares what came in the last days with what was made of
 * it, and says what does not add up: as figures of each pipeline, which an alarm watches, and as lines of the log.
 *
 * It changes nothing: `millrace reconcile` offers what puts a finding right.
 */
import { Metrics } from "@millrace/core";
import {
  DocumentClient,
  DynamoExecutions,
  DynamoJournal,
  listVersions,
  openS3Client,
} from "@millrace/core/aws";
import { type Comparison, compareBuckets } from "@millrace/workflows/compareBuckets";
import { pipelines } from "@millrace/workflows/topology";
import { Duration, Effect, Layer, ManagedRuntime, Metric, Schema } from "effect";
import { ReconcilerEnvironment } from "./Environment.ts";
import { printMetrics } from "./printMetrics.ts";
import { logging } from "./runtime.ts";

/** The reconciler was deployed without something that it must be told. */
export class ReconcilerNotConfigured extends Schema.TaggedError<ReconcilerNotConfigured>()(
  "ReconcilerNotConfigured",
  { reason: Schema.String },
) {
  override get message(): string {
    return `the reconciler cannot run: ${this.reason}; set its environment variables`;
  }
}

const configuration = ReconcilerEnvironment.pipe(
  Effect.catchTag("ConfigError", ({ message }) =>
    Effect.fail(new ReconcilerNotConfigured({ reason: message })),
  ),
);

const services = Layer.unwrap(
  Effect.map(configuration, ({ executionsTable, journalTable }) =>
    Layer.mergeAll(
      DynamoJournal.layerDynamo(journalTable),
      DynamoExecutions.layerDynamo(executionsTable),
      logging,
    ).pipe(Layer.provide(DocumentClient.layer())),
  ),
);

/** What was lost, or came from nowhere; what is only late or only missing in the index is told, and no gap. */
const gapOf = (found: Comparison): number =>
  found.objectsWithoutExecution.length +
  found.executionsWithoutObject.length +
  found.completedWithoutOutput.length +
  found.outputsWithoutEnd.length;

/** Findings of one kind that are told one by one. */
const toldMax = 20;

/** One line for each of the first findings of each kind: objects are named by their keys, as everywhere in the logs. */
const tell = Effect.fnUntraced(function* (pipeline: string, found: Comparison) {
  const kinds = {
    "object without an execution": found.objectsWithoutExecution,
    "execution without its object": found.executionsWithoutObject,
    "completed execution without its output": found.completedWithoutOutput,
    "output that no completed execution names": found.outputsWithoutEnd,
    "execution open too long": found.openTooLong,
    "execution that the index has lost": found.rowsLost,
  };
  for (const [kind, findings] of Object.entries(kinds)) {
    for (const finding of findings.slice(0, toldMax)) {
      yield* Effect.annotateLogs(Effect.logWarning(kind), { pipeline, ...finding });
    }
  }
  const { executions, objects, unjudged, young } = found;
  yield* Effect.annotateLogs(Effect.logInfo("reconciled"), {
    pipeline,
    objects,
    executions,
    young,
    unjudged,
    findings: Object.values(kinds).reduce((sum, { length }) => sum + length, 0),
  });
});

const reconcile = Effect.gen(function* () {
  const { buckets, grace, openLonger, window } = yield* configuration;
  const s3 = yield* openS3Client({});
  for (const pipeline of Object.values(pipelines)) {
    const found = yield* compareBuckets({
      list: (where, use) => listVersions(s3, where, use),
      buckets,
      pipelines: [pipeline],
      graceMs: Duration.toMillis(grace),
      openMsMax: Duration.toMillis(openLonger),
      windowMs: Duration.toMillis(window),
    });
    yield* Metric.update(Metrics.conservationGap, gapOf(found)).pipe(printMetrics(pipeline.name));
    yield* tell(pipeline.name, found);
  }
}).pipe(Effect.scoped);

const runtime = ManagedRuntime.make(services);

/** What the schedule invokes. */
export const handler = (): Promise<void> => runtime.runPromise(reconcile);
