/**
 * The layers of a pipeline's function: the only place where the engine meets AWS.
 */
import {
  Engine,
  EnvironmentSecrets,
  type IdempotencyStore,
  layerIdempotencyCached,
  Mask,
  type MessageQueue,
  type ObjectStore,
  QueueWakes,
  RateLimit,
  Secrets,
  type SharedState,
  Tasks,
  Worker,
} from "@millrace/core";
import {
  DocumentClient,
  DynamoExecutions,
  DynamoIdempotency,
  DynamoJournal,
  DynamoObjectHeads,
  DynamoSharedState,
  EcsTasks,
  EventBridgeLifecycle,
  EventBridgeSchedules,
  S3LargeValues,
  S3ObjectStore,
  SecretsManagerSource,
  SqsMessageQueue,
} from "@millrace/core/aws";
import { Buckets } from "@millrace/workflows/Buckets";
import { type PipelineBase, queueNames } from "@millrace/workflows/topology";
import { Config, Effect, Layer, Logger, Option, References } from "effect";
import type { RateLimiter } from "effect/persistence";
import type { WorkflowEngine } from "effect/workflow";
import { Environment, taskContainer } from "./Environment.ts";
import { tracing } from "./tracing.ts";

/** What a workflow's activities may ask for. */
export type ActivityServices =
  | Buckets
  | DocumentClient
  | IdempotencyStore
  | MessageQueue
  | ObjectStore
  | RateLimiter.RateLimiter
  | Secrets.Secrets
  | SharedState
  | Tasks;

type WorkflowLayer<E> = Layer.Layer<never, E, WorkflowEngine.WorkflowEngine | ActivityServices>;

/** The worker of one pipeline, with the workflow's layer in it; everything else comes from the environment. */
export const pipelineLayer = <E>(topology: PipelineBase, workflow: WorkflowLayer<E>) =>
  Layer.unwrap(
    Effect.map(Environment, (environment) => {
      const { codeVersion } = environment;
      return Worker.layer.pipe(
        Layer.provide(workflow),
        Layer.provide(Layer.provide(Engine.layer({ codeVersion }), wakes(topology, environment))),
        Layer.provideMerge(stores(topology, environment)),
        Layer.merge(logging),
        Layer.provideMerge(tracing(`millrace-${topology.name}`)),
      );
    }),
  );

/** The engine of one of a pipeline's tasks, with the workflows' layer in it. */
export const taskLayer = <E>(
  topology: PipelineBase,
  workflow: WorkflowLayer<E>,
  options: Pick<Engine.TaskEngineOptions, "owns" | "onYielded">,
) =>
  Layer.unwrap(
    Effect.map(Environment, (environment) => {
      const { codeVersion } = environment;
      const engine = Engine.layerTask({ codeVersion, leaseMs: taskLeaseMs, ...options });
      return workflow.pipe(
        Layer.provideMerge(Layer.provide(engine, wakes(topology, environment))),
        Layer.provideMerge(stores(topology, environment)),
        Layer.merge(logging),
        Layer.provideMerge(tracing(`millrace-${topology.name}-task`)),
      );
    }),
  );

/**
 * Lease of a run in a task, in milliseconds. Short, because whoever comes next was launched after this task had stopped,
 * or was told to: it is not to wait for the dead. Against the living the journal guards.
 */
const taskLeaseMs = 5_000;

/** Everything that the engine and the activities stand on. */
const stores = (topology: PipelineBase, environment: Environment) => {
  const names = queueNames(topology);
  const urls = new Map([
    [names.queue, environment.queueUrl],
    [names.deadLetterQueue, environment.deadLetterQueueUrl],
  ]);
  return Layer.mergeAll(
    DynamoJournal.layerDynamo(environment.journalTable),
    DynamoExecutions.layerDynamo(environment.executionsTable),
    DynamoObjectHeads.layerDynamo(environment.objectHeadsTable),
    layerIdempotencyCached().pipe(
      Layer.provide(DynamoIdempotency.layerDynamo(environment.idempotencyTable)),
    ),
    RateLimit.layerShared.pipe(
      Layer.provideMerge(DynamoSharedState.layerDynamo(environment.limitsTable)),
    ),
    Secrets.layerCached().pipe(
      Layer.provide(
        Option.match(environment.secretsPrefix, {
          onNone: () => EnvironmentSecrets.layer,
          onSome: (prefix) => SecretsManagerSource.layerSecretsManager(prefix),
        }),
      ),
    ),
    S3ObjectStore.layerS3(),
    S3LargeValues.layerS3(environment.valuesBucket),
    Layer.succeed(Buckets, environment.buckets),
    EventBridgeLifecycle.layerEventBridge({
      busName: environment.busName,
      topicArn: environment.topicArn,
    }),
    Option.match(environment.tasks, {
      onNone: () => Tasks.layerNone,
      onSome: (settings) => EcsTasks.layerEcs({ ...settings, container: taskContainer }),
    }),
  ).pipe(
    Layer.provideMerge(DocumentClient.layer()),
    Layer.provideMerge(SqsMessageQueue.layerSqs((name) => urls.get(name) ?? name)),
  );
};

/** All wakes of a pipeline go to the pipeline's own queue. */
const wakes = (topology: PipelineBase, environment: Environment) =>
  QueueWakes.layerQueue(() => queueNames(topology).queue).pipe(
    Layer.provide(
      EventBridgeSchedules.layerScheduler({
        groupName: environment.schedulerGroup,
        roleArn: environment.schedulerRoleArn,
        targetOf: () => ({
          queueArn: environment.queueArn,
          deadLetterArn: environment.undeliveredQueueArn,
        }),
      }),
    ),
  );

const maskedJson = Logger.withConsoleLog(Logger.map(Logger.formatJson, Mask.maskJsonText));

/**
 * One JSON object per line, as CloudWatch Logs Insights reads them, and masked; `MILLRACE_LOG_LEVEL` says from which level
 * on.
 */
export const logging = Layer.merge(
  Logger.layer([maskedJson]),
  Layer.effect(
    References.MinimumLogLevel,
    Config.LogLevel("MILLRACE_LOG_LEVEL").pipe(Config.withDefault("Info" as const)),
  ),
);
