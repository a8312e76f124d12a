/**
 * The function of the sweeper: a schedule invokes it, it looks at every open execution once, and asks again for what
 * was forgotten through the queue of the pipeline whose workflow it is.
 */
import {
  type ExecutionRow,
  IntakePauses,
  Metrics,
  QueueSchedules,
  QueueWakes,
  Sweeper,
} from "@millrace/core";
import {
  DocumentClient,
  DynamoExecutions,
  DynamoJournal,
  QueueTagPauses,
  SqsMessageQueue,
} from "@millrace/core/aws";
import { chains, pipelines } from "@millrace/workflows/topology";
import { Clock, Effect, Layer, ManagedRuntime, Schema } from "effect";
import { SweeperEnvironment } from "./Environment.ts";
import { printMetrics } from "./printMetrics.ts";
import { logging } from "./runtime.ts";

/** The sweeper was deployed without something that it must be told. */
export class SweeperNotConfigured extends Schema.TaggedError<SweeperNotConfigured>()(
  "SweeperNotConfigured",
  { reason: Schema.String },
) {
  override get message(): string {
    return `the sweeper cannot run: ${this.reason}; set its environment variables`;
  }
}

const all = [...Object.values(pipelines), ...chains];
/** Pipelines by the workflow that they start. */
const pipelineOf = new Map<string, string>(all.map(({ name, workflow }) => [workflow, name]));

/** What tasks run: whoever waits for one has its launch, its end and its time limit, and launches the next. */
const taskWorkflows: ReadonlySet<string> = new Set(
  all.flatMap(({ task }) => (task ? [task.workflow] : [])),
);

/** The environment, with a queue for every pipeline. */
const configuration = Effect.gen(function* () {
  const environment = yield* SweeperEnvironment;
  const missing = all.find(({ name }) => !Object.hasOwn(environment.pipelineQueueUrls, name));
  if (missing) {
    return yield* new SweeperNotConfigured({ reason: `no queue URL for pipeline ${missing.name}` });
  }
  return environment;
}).pipe(
  Effect.catchTag("ConfigError", ({ message }) =>
    Effect.fail(new SweeperNotConfigured({ reason: message })),
  ),
);

const services = Layer.unwrap(
  Effect.map(configuration, ({ executionsTable, journalTable, pipelineQueueUrls }) => {
    const queues = SqsMessageQueue.layerSqs((name) => pipelineQueueUrls[name] ?? name);
    // What it asks for is due already: it needs no scheduler, and no right to use one.
    const wakes = QueueWakes.layerQueue((workflow) => pipelineOf.get(workflow) ?? workflow).pipe(
      Layer.provide(QueueSchedules.layerQueueDelay),
      Layer.provide(queues),
    );
    return Layer.mergeAll(
      wakes,
      QueueTagPauses.layerTags((name) => pipelineQueueUrls[name] ?? name),
      DynamoJournal.layerDynamo(journalTable),
      DynamoExecutions.layerDynamo(executionsTable),
      logging,
    ).pipe(Layer.provide(DocumentClient.layer()));
  }),
);

/** Pipelines that take no messages now; one that cannot be asked counts as taking them. */
const pausedPipelines = Effect.gen(function* () {
  const pauses = yield* IntakePauses;
  const paused = yield* Effect.filter(
    all.map(({ name }) => name),
    (name) =>
      pauses.find(name).pipe(
        Effect.map((pause) => pause !== undefined),
        Effect.catchTag("PausesUnavailable", (error) =>
          Effect.as(Effect.logWarning(error.message), false),
        ),
      ),
  );
  return new Set(paused);
});

/** One line of gauges for each pipeline: what the index holds open, as the sweep began. */
const printInFlight = Effect.fnUntraced(function* (rows: ReadonlyArray<OpenRow>) {
  const now = yield* Clock.currentTimeMillis;
  for (const { name, workflow } of all) {
    const own = rows.filter((row) => row.workflow === workflow);
    yield* Metrics.gaugeInFlight(own, now).pipe(printMetrics(name));
  }
});

/** What the gauges need of a row. */
type OpenRow = Pick<ExecutionRow, "workflow" | "status" | "startedEpochMs">;

const sweep = Effect.gen(function* () {
  const paused = yield* pausedPipelines;
  const open: Array<OpenRow> = [];
  const swept = yield* Sweeper.sweep({
    knows: (workflow) => pipelineOf.has(workflow),
    skips: (workflow) => taskWorkflows.has(workflow) || paused.has(pipelineOf.get(workflow) ?? ""),
    sees: ({ startedEpochMs, status, workflow }) => open.push({ startedEpochMs, status, workflow }),
  }).pipe(printMetrics("sweeper"));
  yield* printInFlight(open);
  return swept;
}).pipe(Effect.tap((swept) => Effect.logInfo("swept").pipe(Effect.annotateLogs({ ...swept }))));

const runtime = ManagedRuntime.make(services);

/** What the schedule, or a person, invokes; whatever the event says, it sweeps once and answers with what it did. */
export const handler = (): Promise<Sweeper.Swept> => runtime.runPromise(sweep);
