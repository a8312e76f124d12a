/**
 * ECS of the embedded AWS: tasks as child processes, for ECS clients (JSON 1.1), and their state changes as events on
 * the default bus.
 *
 * There is one cluster; definitions are the host's, which says what a family runs. Services, images, networks and
 * everything else of ECS are refused by name. A task does not outlive the embedded AWS: those that were running when it
 * died are stopped when it starts again, and say so.
 */
import { Clock, Context, Effect, Layer } from "effect";
import type { JsonOperations } from "../http/AwsRequest.ts";
import { LocalEvents } from "../LocalEvents.ts";
import { LocalState } from "../LocalState.ts";
import { Documents } from "../Documents.ts";
import { Container, type ContainerSettings } from "./Container.ts";
import { type StopCode, stateChange, Task } from "./Task.ts";
import { taskOperations } from "./taskOperations.ts";

/** What the tasks of a family are. */
export interface TaskDefinition extends ContainerSettings {
  /** Name of the container. */
  readonly container: string;
  readonly cpuUnits: number;
  readonly memoryMb: number;
  /** From SIGTERM to SIGKILL. */
  readonly stopTimeoutSeconds: number;
  /** What a container is told of its size, which an override may change. */
  readonly sizeVariables?: { readonly cpuUnits: string; readonly memoryMb: string };
}

export interface Stop {
  readonly stopCode: StopCode;
  readonly reason: string;
}

export class Ecs extends Context.Service<
  Ecs,
  {
    /** The operations of the wire protocol (JSON 1.1, target prefix `AmazonEC2ContainerServiceV20141113`). */
    readonly operations: JsonOperations;
    /** Says what tasks of a family are; RunTask knows no other families. */
    readonly define: (family: string, definition: TaskDefinition) => Effect.Effect<void>;
    /** Takes the capacity of a task back, as Spot does: SIGTERM, then SIGKILL. */
    readonly interrupt: (taskId: string) => Effect.Effect<void>;
    /** Kills the container's process without notice, as a lack of memory does. */
    readonly kill: (taskId: string) => Effect.Effect<void>;
    /** All that are known. */
    readonly tasks: Effect.Effect<ReadonlyArray<Task>>;
  }
>()("@millrace/local/ecs/Ecs") {
  /** One cluster, of the given name. */
  static readonly layer = (cluster: string) =>
    Layer.effect(
      Ecs,
      Effect.gen(function* () {
        const world = yield* makeWorld(cluster);
        const { containers, definitions, tasks } = world;
        return Ecs.of({
          operations: taskOperations(world),
          define: (family, definition) =>
            Effect.sync(() => void definitions.set(family, definition)),
          interrupt: (id) =>
            world.stop(id, {
              stopCode: "SpotInterruption",
              reason: "Your Spot Task was interrupted.",
            }),
          kill: (id) => Effect.sync(() => containers.get(id)?.kill()),
          tasks: Effect.sync(() => tasks.all()),
        });
      }),
    );
}

/** What the operations work on. */
export interface EcsWorld {
  readonly cluster: string;
  readonly definitions: Map<string, TaskDefinition>;
  readonly tasks: Documents<Task>;
  readonly containers: Map<string, Container>;
  /** Starts the container of a stored task. */
  readonly start: (task: Task, definition: TaskDefinition) => Effect.Effect<void>;
  readonly stop: (id: string, stop: Stop) => Effect.Effect<void>;
}

const makeWorld = Effect.fnUntraced(function* (cluster: string) {
  const { database } = yield* LocalState;
  const { publish } = yield* LocalEvents;
  const scope = yield* Effect.scope;
  const tasks = new Documents(database, { table: "ecs_documents", kind: "task" }, Task);
  const containers = new Map<string, Container>();
  const definitions = new Map<string, TaskDefinition>();
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      for (const container of containers.values()) container.kill();
    }),
  );
  const change = Effect.fnUntraced(function* (id: string, changes: Partial<Task>) {
    const before = tasks.get(id);
    if (!before) return;
    const after: Task = { ...before, ...changes, version: before.version + 1 };
    tasks.put(id, after);
    yield* publish(stateChange(after));
  });
  const ended = Effect.fnUntraced(function* (id: string, exit: Awaited<Container["ended"]>) {
    containers.delete(id);
    const now = yield* Clock.currentTimeMillis;
    const { exitCode, reason } = exit;
    const { stopCode, stoppedReason } = tasks.get(id) ?? {};
    yield* change(id, {
      lastStatus: "STOPPED",
      desiredStatus: "STOPPED",
      stoppedMs: now,
      exitCode,
      stopCode: stopCode ?? "EssentialContainerExited",
      stoppedReason: stoppedReason ?? "Essential container in task exited",
      ...(reason !== undefined && { containerReason: reason }),
    });
  });
  const world: EcsWorld = {
    cluster,
    definitions,
    tasks,
    containers,
    start: Effect.fnUntraced(function* (task, definition) {
      const container = new Container(settingsOf(task, definition));
      containers.set(task.id, container);
      const now = yield* Clock.currentTimeMillis;
      yield* change(task.id, { lastStatus: "RUNNING", startedMs: now });
      yield* Effect.promise(() => container.ended).pipe(
        Effect.flatMap((exit) => ended(task.id, exit)),
        Effect.forkIn(scope),
      );
    }),
    stop: Effect.fnUntraced(function* (id, { reason, stopCode }) {
      const task = tasks.get(id);
      if (!task || task.desiredStatus === "STOPPED") return;
      const now = yield* Clock.currentTimeMillis;
      yield* change(id, {
        desiredStatus: "STOPPED",
        stoppingMs: now,
        stopCode,
        stoppedReason: reason,
      });
      const { stopTimeoutSeconds = 30 } = definitions.get(task.family) ?? {};
      containers.get(id)?.stop(stopTimeoutSeconds * 1_000);
    }),
  };
  yield* stopOrphans(tasks, change);
  return world;
});

/** Those whose machine died: this process before it was killed. */
const stopOrphans = Effect.fnUntraced(function* (
  tasks: Documents<Task>,
  change: (id: string, changes: Partial<Task>) => Effect.Effect<void>,
) {
  const now = yield* Clock.currentTimeMillis;
  for (const { id, lastStatus } of tasks.all()) {
    if (lastStatus === "STOPPED") continue;
    yield* change(id, {
      lastStatus: "STOPPED",
      desiredStatus: "STOPPED",
      stoppedMs: now,
      stopCode: "EssentialContainerExited",
      stoppedReason: "the embedded AWS ended, and its tasks with it",
      exitCode: 137,
    });
  }
});

/** The definition's environment, the sizes, and the overrides over both. */
const settingsOf = (task: Task, definition: TaskDefinition): ContainerSettings => {
  const { container, environment, file, onLine, sizeVariables } = definition;
  const override = task.overrides.containerOverrides?.find(({ name }) => name === container);
  return {
    file,
    onLine,
    environment: {
      ...environment,
      ...(sizeVariables && {
        [sizeVariables.cpuUnits]: task.cpu,
        [sizeVariables.memoryMb]: task.memory,
      }),
      ...Object.fromEntries((override?.environment ?? []).map(({ name, value }) => [name, value])),
    },
  };
};
