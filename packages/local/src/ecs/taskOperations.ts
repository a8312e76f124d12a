/**
 * RunTask, DescribeTasks, StopTask and ListTasks.
 *
 * Source: Amazon ECS API reference 2014-11-13
 */
import { isFargateSize } from "@millrace/workflows/fargateSizes";
import { Clock, Effect, Schema } from "effect";
import { randomUUID } from "node:crypto";
import type { JsonOperations } from "../http/AwsRequest.ts";
import type { EcsWorld, TaskDefinition } from "./Ecs.ts";
import { familyIn, nameIn, taskArn } from "./EcsNames.ts";
import {
  clientError,
  clusterNotFound,
  conflict,
  ecsOperation,
  invalidParameter,
  taskNotFound,
} from "./EcsErrors.ts";
import { describe, type Task, TaskOverrides } from "./Task.ts";

const optional = Schema.optionalKey(Schema.String);
const names = Schema.Array(Schema.String);

/** Longest `startedBy` and `clientToken`, in characters. */
const startedByMax = 128;
const clientTokenMax = 64;
/** All overrides of a task together, in characters of JSON. */
const overridesMax = 8_192;
/** Tasks in one DescribeTasks. */
const describedMax = 100;
/** A stopped task is known for an hour, in milliseconds. */
const rememberedMs = 3_600_000;

const RunTask = Schema.Struct({
  cluster: optional,
  taskDefinition: Schema.String,
  count: Schema.optionalKey(Schema.Int),
  clientToken: optional,
  startedBy: optional,
  launchType: Schema.optionalKey(Schema.Literal("FARGATE")),
  platformVersion: optional,
  capacityProviderStrategy: Schema.optionalKey(
    Schema.Array(
      Schema.Struct({
        capacityProvider: Schema.Literals(["FARGATE", "FARGATE_SPOT"]),
        weight: Schema.optionalKey(Schema.Int),
        base: Schema.optionalKey(Schema.Int),
      }),
    ),
  ),
  networkConfiguration: Schema.optionalKey(
    Schema.Struct({
      awsvpcConfiguration: Schema.Struct({
        subnets: names,
        securityGroups: Schema.optionalKey(names),
        assignPublicIp: Schema.optionalKey(Schema.Literals(["ENABLED", "DISABLED"])),
      }),
    }),
  ),
  overrides: Schema.optionalKey(TaskOverrides),
});
type RunTask = typeof RunTask.Type;

const DescribeTasks = Schema.Struct({ cluster: optional, tasks: names });

const StopTask = Schema.Struct({ cluster: optional, task: Schema.String, reason: optional });

const ListTasks = Schema.Struct({
  cluster: optional,
  family: optional,
  startedBy: optional,
  desiredStatus: Schema.optionalKey(Schema.Literals(["RUNNING", "STOPPED"])),
});

export const taskOperations = (world: EcsWorld): JsonOperations => ({
  RunTask: ecsOperation("RunTask", RunTask, runTask(world)),
  DescribeTasks: ecsOperation("DescribeTasks", DescribeTasks, describeTasks(world)),
  StopTask: ecsOperation("StopTask", StopTask, stopTask(world)),
  ListTasks: ecsOperation("ListTasks", ListTasks, listTasks(world)),
});

/** There is one cluster; without a name ECS means another, which is not there. */
const inCluster = (world: EcsWorld, cluster: string | undefined) =>
  cluster !== undefined && nameIn(cluster) === world.cluster
    ? Effect.void
    : Effect.fail(clusterNotFound());

const runTask = (world: EcsWorld) =>
  Effect.fnUntraced(function* (input: RunTask) {
    yield* inCluster(world, input.cluster);
    const definition = world.definitions.get(familyIn(input.taskDefinition));
    if (!definition) return yield* clientError("TaskDefinition not found.");
    yield* checkRequest(input, definition);
    const known = yield* findLaunched(world, input);
    if (known) return { tasks: [describe(known)], failures: [] };
    const task = yield* makeTask(world, input, definition);
    world.tasks.put(task.id, task);
    yield* world.start(task, definition);
    return { tasks: [describe(task)], failures: [] };
  });

const describeTasks = (world: EcsWorld) =>
  Effect.fnUntraced(function* ({ cluster, tasks }: typeof DescribeTasks.Type) {
    yield* inCluster(world, cluster);
    if (tasks.length === 0) return yield* invalidParameter("Tasks cannot be empty.");
    if (tasks.length > describedMax) {
      return yield* invalidParameter("Tasks list must contain at most 100 tasks.");
    }
    const now = yield* Clock.currentTimeMillis;
    const found = tasks.map((name) => ({ name, task: remembered(world, nameIn(name), now) }));
    return {
      tasks: found.flatMap(({ task }) => (task ? [describe(task)] : [])),
      failures: found.flatMap(({ name, task }) =>
        task ? [] : [{ arn: taskArn(world.cluster, nameIn(name)), reason: "MISSING" }],
      ),
    };
  });

const stopTask = (world: EcsWorld) =>
  Effect.fnUntraced(function* (input: typeof StopTask.Type) {
    const { cluster, reason = "Task stopped by user", task: name } = input;
    yield* inCluster(world, cluster);
    const id = nameIn(name);
    const now = yield* Clock.currentTimeMillis;
    if (!remembered(world, id, now)) return yield* taskNotFound();
    yield* world.stop(id, { stopCode: "UserInitiated", reason });
    const task = world.tasks.get(id);
    return task ? { task: describe(task) } : {};
  });

const listTasks = (world: EcsWorld) =>
  Effect.fnUntraced(function* (input: typeof ListTasks.Type) {
    const { cluster, desiredStatus = "RUNNING", family, startedBy } = input;
    yield* inCluster(world, cluster);
    const now = yield* Clock.currentTimeMillis;
    const found = world.tasks
      .all()
      .filter(
        (task) =>
          remembered(world, task.id, now) &&
          task.desiredStatus === desiredStatus &&
          (family === undefined || task.family === family) &&
          (startedBy === undefined || task.startedBy === startedBy),
      );
    return { taskArns: found.map(({ id }) => taskArn(world.cluster, id)) };
  });

const remembered = (world: EcsWorld, id: string, nowMs: number): Task | undefined => {
  const task = world.tasks.get(id);
  return task?.stoppedMs !== undefined && task.stoppedMs + rememberedMs < nowMs ? undefined : task;
};

/** Refuses what ECS would refuse, as far as it can be known here. */
const checkRequest = Effect.fnUntraced(function* (
  {
    clientToken = "",
    count = 1,
    launchType,
    capacityProviderStrategy,
    overrides,
    startedBy = "",
  }: RunTask,
  definition: TaskDefinition,
) {
  if (count !== 1) {
    return yield* invalidParameter("count must be 1: the embedded AWS starts one task at a time");
  }
  if (launchType !== undefined && capacityProviderStrategy !== undefined) {
    return yield* invalidParameter(
      "Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again.",
    );
  }
  if (clientToken.length > clientTokenMax) {
    return yield* invalidParameter("clientToken can be up to 64 characters long.");
  }
  if (startedBy.length > startedByMax || !/^[A-Za-z0-9_/-]*$/.test(startedBy)) {
    return yield* invalidParameter(
      "startedBy can be up to 128 letters, numbers, hyphens, forward slashes and underscores.",
    );
  }
  if (overrides && JSON.stringify(overrides).length > overridesMax) {
    return yield* invalidParameter("Container Overrides length must be at most 8192");
  }
  const unknown = overrides?.containerOverrides?.find(({ name }) => name !== definition.container);
  if (unknown) {
    return yield* invalidParameter(
      `Override for container named ${unknown.name} is not a container in the TaskDefinition.`,
    );
  }
  const { cpuUnits, memoryMb } = sizeOf(overrides, definition);
  if (!isFargateSize({ cpuUnits, memoryMb, storageGb: 21 })) {
    return yield* clientError("No Fargate configuration exists for given values.");
  }
});

const sizeOf = (overrides: TaskOverrides | undefined, definition: TaskDefinition) => ({
  cpuUnits: Number(overrides?.cpu ?? definition.cpuUnits),
  memoryMb: Number(overrides?.memory ?? definition.memoryMb),
});

/** The task that the same token has started, if it has; another request under it is a conflict. */
const findLaunched = Effect.fnUntraced(function* (world: EcsWorld, input: RunTask) {
  if (input.clientToken === undefined) return undefined;
  const known = world.tasks.all().find(({ clientToken }) => clientToken === input.clientToken);
  if (known && known.request !== JSON.stringify(input)) return yield* conflict();
  return known;
});

const makeTask = Effect.fnUntraced(function* (
  world: EcsWorld,
  input: RunTask,
  definition: TaskDefinition,
) {
  const { cpuUnits, memoryMb } = sizeOf(input.overrides, definition);
  const capacityProvider = input.capacityProviderStrategy?.[0]?.capacityProvider;
  const task: Task = {
    id: randomUUID().replaceAll("-", ""),
    cluster: world.cluster,
    family: familyIn(input.taskDefinition),
    container: definition.container,
    cpu: String(cpuUnits),
    memory: String(memoryMb),
    ...(capacityProvider !== undefined && { capacityProvider }),
    ...(input.startedBy !== undefined && { startedBy: input.startedBy }),
    ...(input.clientToken !== undefined && { clientToken: input.clientToken }),
    request: JSON.stringify(input),
    overrides: input.overrides ?? {},
    lastStatus: "PENDING",
    desiredStatus: "RUNNING",
    version: 1,
    createdMs: yield* Clock.currentTimeMillis,
  };
  return task;
});
