/**
 * Containers as ECS runs them on Fargate: started once for a token, slow to begin, killed or taken back at any time,
 * and told of by an event to the pipeline's queue when they have stopped.
 */
import { Effect, Exit, Layer } from "effect";
import { type TaskRequest, Tasks, TaskNotLaunched, TaskNotStopped } from "../../Tasks.ts";
import { yieldedExitCode } from "../../task/TaskEnd.ts";
import { taskExecutionVariable } from "../../task/TaskExecution.ts";
import type { FunctionHost } from "./SimulatedFunction.ts";
import { type Caller, request } from "./request.ts";
import { SimulatedProcess } from "./SimulatedProcess.ts";

export interface TaskSettings {
  /** The queue that hears of stopped tasks. */
  readonly queue: string;
  /** What a container does that is told this text (see TaskExecution); gives its exit code. */
  readonly work: (
    text: string,
    container: Caller,
    stop: Effect.Effect<void>,
  ) => Effect.Effect<number, unknown>;
}

interface Task {
  readonly id: string;
  readonly asked: TaskRequest;
  process: SimulatedProcess | undefined;
  /** Why ECS stops it, from the moment that it was told to stop. */
  stopCode: string | undefined;
  stopped: boolean;
  /** Woken when it is told to stop. */
  readonly onStop: Array<() => void>;
}

/** A container begins this long after it was asked for, in milliseconds. */
const beginsMs = [5_000, 60_000] as const;
/** A fault meets a container's work within this time of its beginning, in milliseconds. */
const atWorkMs = 800;
/** From SIGTERM to SIGKILL, in milliseconds. Source: Amazon ECS developer guide, "Fargate Spot termination notices". */
const graceMs = 120_000;
/** ECS notices that a container is gone within this time, in milliseconds. */
const noticesMs = 5_000;
/** Of a process that was killed: 128 and the signal. */
const killedExitCode = 137;

export class SimulatedTasks {
  /** Launches for which there was a second container. */
  readonly repeated: Array<string> = [];
  readonly #host: FunctionHost;
  readonly #settings: TaskSettings;
  readonly #tasks = new Map<string, Task>();

  constructor(host: FunctionHost, settings: TaskSettings) {
    this.#host = host;
    this.#settings = settings;
  }

  /** The tasks as a process reaches them. */
  layerFor(caller: Caller): Layer.Layer<Tasks> {
    return Layer.succeed(Tasks, {
      isAvailable: true,
      run: (asked) =>
        request(caller, {
          name: `launch ${asked.startedBy.slice(0, 8)}`,
          apply: () => Exit.succeed({ task: this.#launch(asked).id }),
          unavailable: (cause) =>
            new TaskNotLaunched({ token: asked.token, failureClass: "transient", cause }),
          refusal: "task-refused",
        }),
      stop: (task) =>
        request(caller, {
          name: `stop ${task}`,
          apply: () => Exit.succeed(this.#tell(task, "UserInitiated")),
          unavailable: (cause) => new TaskNotStopped({ task, failureClass: "transient", cause }),
        }),
    });
  }

  #launch(asked: TaskRequest): Task {
    const known = this.#tasks.get(asked.token);
    if (known) return known;
    if ([...this.#tasks.values()].some((task) => task.asked.startedBy === asked.startedBy)) {
      this.repeated.push(asked.startedBy);
    }
    const id = `task#${this.#tasks.size + 1}`;
    const task: Task = {
      id,
      asked,
      process: undefined,
      stopCode: undefined,
      stopped: false,
      onStop: [],
    };
    this.#tasks.set(asked.token, task);
    const { world } = this.#host;
    world.after(world.prng.between(...beginsMs), () => {
      if (task.stopCode === undefined) this.#begin(task);
      else this.#stopped(task, undefined);
    });
    return task;
  }

  #begin(task: Task): void {
    const { counted, faults, world } = this.#host;
    const process = new SimulatedProcess(world, task.id);
    task.process = process;
    const stop = Effect.callback<void>((resume) => {
      const told = () => process.run(() => resume(Effect.void));
      if (task.stopCode === undefined) task.onStop.push(told);
      else told();
    });
    const text = task.asked.environment[taskExecutionVariable] ?? "";
    let exitCode = 1;
    const work = this.#settings.work(text, { process, faults, counted }, stop).pipe(
      Effect.map((code) => {
        exitCode = code;
      }),
    );
    process.fork(work, () => this.#stopped(task, exitCode));
    this.#watch(task);
    if (faults.strikes("task-killed", 5)) {
      world.after(world.prng.between(0, atWorkMs), () => process.kill());
    }
    if (task.asked.spot && faults.strikes("task-reclaimed", 12)) {
      world.after(world.prng.between(0, atWorkMs), () => this.#tell(task.id, "SpotInterruption"));
    }
  }

  /** Tells a task to stop; one that does not is killed. */
  #tell(id: string, stopCode: string): void {
    const task = [...this.#tasks.values()].find((known) => known.id === id);
    if (!task || task.stopped || task.stopCode !== undefined) return;
    const { world } = this.#host;
    task.stopCode = stopCode;
    for (const told of task.onStop) told();
    world.after(graceMs, () => task.process?.kill());
  }

  /** A container whose process has died, of whatever, is noticed. */
  #watch(task: Task): void {
    this.#host.world.after(noticesMs, () => {
      if (task.stopped) return;
      if (task.process?.dead === true) this.#stopped(task, killedExitCode);
      else this.#watch(task);
    });
  }

  #stopped(task: Task, exitCode: number | undefined): void {
    const { queues, world } = this.#host;
    task.stopped = true;
    task.process?.kill();
    const how =
      exitCode === yieldedExitCode ? "left its work" : `ended with ${exitCode ?? "nothing"}`;
    world.mark(`${task.id} ${how} ${task.stopCode ?? ""}`);
    const event = {
      source: "aws.ecs",
      "detail-type": "ECS Task State Change",
      detail: {
        taskArn: task.id,
        lastStatus: "STOPPED",
        startedBy: task.asked.startedBy,
        stopCode: task.stopCode ?? "EssentialContainerExited",
        containers: [exitCode === undefined ? {} : { exitCode }],
      },
    };
    world.after(world.prng.between(0, noticesMs), () =>
      queues.put(this.#settings.queue, JSON.stringify(event)),
    );
  }
}
