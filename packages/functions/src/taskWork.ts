/**
 * What a pipeline's task runs when a workflow has launched it: the workflow of its child executions, and the layers.
 */
import { FargateTask, ProcessStop } from "@millrace/core";
import type { PipelineBase } from "@millrace/workflows/topology";
import type { FileSystem } from "effect";
import { Deferred, Effect, type Layer, Schema } from "effect";
import type { Workflow, WorkflowEngine } from "effect/workflow";
import { type ActivityServices, taskLayer } from "./runtime.ts";
import { stopOf } from "./stopOf.ts";
import { taskUsage } from "./taskUsage.ts";

/** Runs the execution that the text names (see TaskExecution); gives the container's exit code. */
export type TaskWork = (
  text: string,
  stopping: AbortSignal,
) => Effect.Effect<number, unknown, FileSystem.FileSystem>;

type Plain = FargateTask.PlainSchema;
type PlainStruct = Workflow.AnyStructSchema & Plain;

/** Of one pipeline. */
export const taskWork =
  <Payload extends PlainStruct, Success extends Plain, Failure extends Plain, E>(
    topology: PipelineBase,
    workflow: FargateTask.TaskWorkflow<Payload, Success, Failure>,
    layer: Layer.Layer<never, E, WorkflowEngine.WorkflowEngine | ActivityServices>,
  ): TaskWork =>
  (text, stopping) =>
    Effect.gen(function* () {
      const execution = yield* Schema.decodeEffect(FargateTask.TaskExecutionText)(text);
      if (execution.workflow !== workflow._tag) {
        const reason = `the tasks of ${topology.name} run ${workflow._tag}`;
        return yield* new FargateTask.TaskExecutionRefused({ ...execution, reason });
      }
      const yielded = yield* Deferred.make<void>();
      const services = taskLayer(topology, layer, {
        owns: (tag) => tag === workflow._tag,
        onYielded: Effect.asVoid(Deferred.succeed(yielded, undefined)),
      });
      const usage = Effect.orDie(taskUsage(execution.spot));
      const files = yield* Effect.context<FileSystem.FileSystem>();
      return yield* FargateTask.runTaskExecution(workflow, {
        execution,
        yielded,
        usage: Effect.provideContext(usage, files),
      }).pipe(Effect.provideService(ProcessStop, stopOf(stopping)), Effect.provide(services));
    });
