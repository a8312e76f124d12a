/**
 * How a task ended, as a fact of the history of who waits for it: told by the task itself when its child execution has
 * ended, or else by ECS when the container has stopped, whichever comes first.
 *
 * Source: Amazon ECS developer guide, "Amazon ECS task state change events" and "Stopped tasks error codes"
 */
import { Exit, Schema } from "effect";
import { encodeDeferredExit } from "../WorkflowCodec.ts";

/** What a task used against what it had (requirement D2.7). */
export const TaskUsage = Schema.Struct({
  seconds: Schema.Finite,
  cpuSeconds: Schema.Finite,
  memoryBytesMax: Schema.Finite,
  /** What the container was allotted, where it knows. */
  cpuUnits: Schema.optionalKey(Schema.Finite),
  memoryMb: Schema.optionalKey(Schema.Finite),
  spot: Schema.optionalKey(Schema.Boolean),
});
export type TaskUsage = typeof TaskUsage.Type;

export const TaskEnd = Schema.Struct({
  toldBy: Schema.Literals(["task", "ecs"]),
  /** Of the container; none where it never started. */
  exitCode: Schema.optionalKey(Schema.Int),
  /** Why ECS stopped the task, e.g. `SpotInterruption`, `EssentialContainerExited`. */
  stopCode: Schema.optionalKey(Schema.String),
  reason: Schema.optionalKey(Schema.String),
  usage: Schema.optionalKey(TaskUsage),
});
export type TaskEnd = typeof TaskEnd.Type;

/** The exit of the deferred that tells of it, encoded. */
export const encodeTaskEnd = (end: TaskEnd): unknown =>
  encodeDeferredExit(Exit.succeed(Schema.encodeSync(TaskEnd)(end)));

/** With this code a container ends that was told to stop and has left its work to the next one. */
export const yieldedExitCode = 75;

/** Stops that are nobody's fault: the work goes on in another container, and no attempt is lost. */
const takenBack: ReadonlySet<string> = new Set(["SpotInterruption", "TerminationNotice"]);

/** Whether the container was taken away from its work. */
export const isInterruption = ({ exitCode, stopCode }: TaskEnd): boolean =>
  exitCode === yieldedExitCode || (stopCode !== undefined && takenBack.has(stopCode));
