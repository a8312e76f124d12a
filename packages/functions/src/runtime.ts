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
  Worker,
} from "@millrace/core";
import {
  DocumentClient,
  DynamoExecutions,
  DynamoIdempotency,
  DynamoJournal,
  DynamoObjectHeads,
  DynamoSharedState,
  EventBridgeLifecycle,
  EventBridgeSchedules,
  S3LargeValues,
  S3ObjectStore,
  SecretsManagerSource,
  SqsMessageQueue,
} from "@millrace/core/aws";
import { Buckets } from "@millrace/workflows/Buckets";
import { type PipelineBase, queueNames } from "@millrace/workflows/topology";
import * as NodeFileSystem from "@effect/platform-node-shared/NodeFileSystem";
import { Config, Effect, type FileSystem, Layer, Logger, Option, References } from "effect";
import type { RateLimiter } from "effect/persistence";
import type { WorkflowEngine } from "effect/workflow";
import { Environment } from "./Environment.ts";
import { tracing } from "./tracing.ts";

/** What a workflow's activities may ask for. */
export type ActivityServices =
  | Buckets
  | DocumentClient
  | FileSystem.FileSystem
  | IdempotencyStore
  | MessageQueue
  | ObjectStore
  | RateLimiter.RateLimiter
  | Secrets.Secrets
  | SharedState;

/** The worker of one pipeline, with the workflow's layer in it; everything else comes from the environment. */
export const pipelineLayer = <E>(
  topology: PipelineBase,
  workflow: Layer.Layer<never, E, WorkflowEngine.WorkflowEngine | ActivityServices>,
) =>
  Layer.unwrap(
    Effect.map(Environment, (environment) => {
      const names = queueNames(topology);
      const urls = new Map([
        [names.queue, environment.queueUrl],
        [names.deadLetterQueue, environment.deadLetterQueueUrl],
      ]);
      const queue = SqsMessageQueue.layerSqs((name) => urls.get(name) ?? name);
      const stores = Layer.mergeAll(
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
        NodeFileSystem.layer,
        EventBridgeLifecycle.layerEventBridge({
          busName: environment.busName,
          topicArn: environment.topicArn,
        }),
      ).pipe(Layer.provideMerge(DocumentClient.layer()), Layer.provideMerge(queue));
      // All wakes of a pipeline's function go to the pipeline's own queue.
      const schedules = EventBridgeSchedules.layerScheduler({
        groupName: environment.schedulerGroup,
        roleArn: environment.schedulerRoleArn,
        targetOf: () => ({
          queueArn: environment.queueArn,
          deadLetterArn: environment.undeliveredQueueArn,
        }),
      });
      const engine = Engine.layer({ codeVersion: environment.codeVersion }).pipe(
        Layer.provide(QueueWakes.layerQueue(() => names.queue)),
        Layer.provide(schedules),
      );
      return Worker.layer.pipe(
        Layer.provide(workflow),
        Layer.provide(engine),
        Layer.provideMerge(stores),
        Layer.merge(logging),
        Layer.provideMerge(tracing(`millrace-${topology.name}`)),
      );
    }),
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
