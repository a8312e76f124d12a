/**
 * The function of the sweeper: a schedule invokes it, it looks at every open execution once, and asks again for what
 * was forgotten through the queue of the pipeline whose workflow it is.
 */
import { IntakePauses, QueueSchedules, QueueWakes, Sweeper } from "@millrace/core";
import {
  DocumentClient,
  DynamoExecutions,
  DynamoJournal,
  QueueTagPauses,
  SqsMessageQueue,
} from "@millrace/core/aws";
import { chains, pipelines } from "@millrace/workflows/topology";
import { Effect, Layer, ManagedRuntime, Schema } from "effect";
import { SweeperEnvironment } from "./Environment.ts";
import { reportMetrics } from "./reportMetrics.ts";
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

const sweep = Effect.gen(function* () {
  const paused = yield* pausedPipelines;
  return yield* Sweeper.sweep({
    knows: (workflow) => pipelineOf.has(workflow),
    skips: (workflow) => paused.has(pipelineOf.get(workflow) ?? ""),
  });
}).pipe(
  Effect.tap((swept) => Effect.logInfo("swept").pipe(Effect.annotateLogs({ ...swept }))),
  reportMetrics("sweeper"),
);

const runtime = ManagedRuntime.make(services);

/** What the schedule, or a person, invokes; whatever the event says, it sweeps once and answers with what it did. */
export const handler = (): Promise<Sweeper.Swept> => runtime.runPromise(sweep);
