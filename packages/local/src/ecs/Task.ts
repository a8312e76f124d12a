/**
 * A task as it is stored, as DescribeTasks shows it, and as its events tell of it.
 *
 * Source: ECS API reference, Task; developer guide, "Amazon ECS task state change events"
 */
import { Schema } from "effect";
import { clusterArn, containerArn, definitionArn, taskArn } from "./EcsNames.ts";

const optional = Schema.optionalKey(Schema.String);

const KeyValue = Schema.Struct({ name: Schema.String, value: Schema.String });

export const TaskOverrides = Schema.Struct({
  cpu: optional,
  memory: optional,
  containerOverrides: Schema.optionalKey(
    Schema.Array(
      Schema.Struct({
        name: Schema.String,
        environment: Schema.optionalKey(Schema.Array(KeyValue)),
      }),
    ),
  ),
});
export type TaskOverrides = typeof TaskOverrides.Type;

export const StopCode = Schema.Literals([
  "EssentialContainerExited",
  "SpotInterruption",
  "TaskFailedToStart",
  "UserInitiated",
]);
export type StopCode = typeof StopCode.Type;

export const Task = Schema.Struct({
  id: Schema.String,
  cluster: Schema.String,
  family: Schema.String,
  container: Schema.String,
  cpu: Schema.String,
  memory: Schema.String,
  capacityProvider: optional,
  startedBy: optional,
  clientToken: optional,
  /** What was asked for: another request under the same token is a conflict. */
  request: Schema.String,
  overrides: TaskOverrides,
  lastStatus: Schema.Literals(["PENDING", "RUNNING", "STOPPED"]),
  desiredStatus: Schema.Literals(["RUNNING", "STOPPED"]),
  version: Schema.Int,
  createdMs: Schema.Finite,
  startedMs: Schema.optionalKey(Schema.Finite),
  stoppingMs: Schema.optionalKey(Schema.Finite),
  stoppedMs: Schema.optionalKey(Schema.Finite),
  stopCode: Schema.optionalKey(StopCode),
  stoppedReason: optional,
  exitCode: Schema.optionalKey(Schema.Int),
  containerReason: optional,
});
export type Task = typeof Task.Type;

interface Times<T> {
  readonly createdAt: T;
  readonly startedAt?: T;
  readonly stoppingAt?: T;
  readonly stoppedAt?: T;
}

/** The clients' protocol has seconds, events have texts. */
const timesOf = <T>(task: Task, at: (epochMs: number) => T): Times<T> => ({
  createdAt: at(task.createdMs),
  ...(task.startedMs !== undefined && { startedAt: at(task.startedMs) }),
  ...(task.stoppingMs !== undefined && { stoppingAt: at(task.stoppingMs) }),
  ...(task.stoppedMs !== undefined && { stoppedAt: at(task.stoppedMs) }),
});

const shown = (task: Task) => ({
  taskArn: taskArn(task.cluster, task.id),
  clusterArn: clusterArn(task.cluster),
  taskDefinitionArn: definitionArn(task.family),
  group: `family:${task.family}`,
  launchType: "FARGATE",
  platformVersion: "1.4.0",
  cpu: task.cpu,
  memory: task.memory,
  lastStatus: task.lastStatus,
  desiredStatus: task.desiredStatus,
  version: task.version,
  overrides: task.overrides,
  ...(task.capacityProvider !== undefined && { capacityProviderName: task.capacityProvider }),
  ...(task.startedBy !== undefined && { startedBy: task.startedBy }),
  ...(task.stopCode !== undefined && { stopCode: task.stopCode }),
  ...(task.stoppedReason !== undefined && { stoppedReason: task.stoppedReason }),
  containers: [
    {
      containerArn: containerArn(task.cluster, task.id),
      taskArn: taskArn(task.cluster, task.id),
      name: task.container,
      lastStatus: task.lastStatus,
      ...(task.exitCode !== undefined && { exitCode: task.exitCode }),
      ...(task.containerReason !== undefined && { reason: task.containerReason }),
    },
  ],
});

/** As DescribeTasks shows it. */
export const describe = (task: Task) => ({
  ...shown(task),
  ...timesOf(task, (epochMs) => epochMs / 1_000),
  attachments: [],
  tags: [],
});

/** The event of its state. */
export const stateChange = (task: Task) => ({
  source: "aws.ecs" as const,
  "detail-type": "ECS Task State Change",
  resources: [taskArn(task.cluster, task.id)],
  detail: { ...shown(task), ...timesOf(task, (epochMs) => new Date(epochMs).toISOString()) },
});
