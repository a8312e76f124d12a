/**
 * An execution that has stopped because steps of it are broken, and what a test does with it.
 */
import { ExecutionRunner, redrive } from "@millrace/core";
import { assert } from "@effect/vitest";
import { Context, Effect, Schema, type Scope } from "effect";
import { Workflow, type WorkflowEngine } from "effect/workflow";
import { makeOpsWorld, makeSteps, StepFailed } from "./opsWorld.ts";

const definition = {
  payload: { id: Schema.String },
  error: StepFailed,
  idempotencyKey: ({ id }: { readonly id: string }) => id,
};

/** Why it is redriven. */
export const because = { reason: "repaired" };

/** Part of the JSON of a result that is a success. */
export const succeeded = '"_tag":"Success"';

type Body = (
  steps: ReturnType<typeof makeSteps>,
) => Effect.Effect<
  void,
  StepFailed,
  WorkflowEngine.WorkflowEngine | WorkflowEngine.WorkflowInstance | Scope.Scope
>;

/** The workflow, with annotations. */
export const makeFailing = (annotations: Context.Context<never> = Context.empty()) =>
  Workflow.make("Failing", { ...definition, annotations });

/** A world with one process that has the workflow, whose execution "a" has stopped with some steps broken. */
export const stoppedWorld = Effect.fnUntraced(function* (
  body: Body,
  broken: ReadonlyArray<string>,
  workflow: ReturnType<typeof makeFailing> = makeFailing(),
  kind: "resident" | "frozen" = "frozen",
) {
  const world = yield* makeOpsWorld;
  const steps = makeSteps();
  for (const name of broken) steps.broken.add(name);
  const process = yield* world.start(
    workflow.toLayer(() => body(steps)),
    kind,
  );
  const executionId = yield* workflow.executionId({ id: "a" });
  const deliver = world.deliver(process);
  yield* process.run(ExecutionRunner.use((runner) => runner.start(workflow, { id: "a" })));
  const history = yield* world.events(executionId);
  steps.takeRan();
  return {
    ...world,
    ...steps,
    workflow,
    process,
    executionId,
    deliver,
    history,
    redrive: world.operate(redrive(executionId, because)),
    events: world.events(executionId),
    status: Effect.map(deliver, (advanced) => {
      assert.strictEqual(advanced?.advance._tag, "Ended");
      return advanced?.state.completed ? JSON.stringify(advanced.state.completed.result) : "open";
    }),
  };
});
