/**
 * Effect's engine over an encoded one, with the success of an activity decoded by its own schema alone.
 *
 * Effect decodes it as a part of the whole exit, and the exit's schema is another one for every `Activity` object: a
 * body that makes its activities as it goes compiles one for each step, and at every replay again. The
 * success schema is the user's own, and compiled once.
 */
import { Effect, Exit, Schema } from "effect";
import { type Activity, Workflow, WorkflowEngine } from "effect/workflow";
import { type ActivityOutcome, decodeSuccess } from "./WorkflowCodec.ts";

type Ask = (
  activity: Activity.Any,
  attempt: number,
) => Effect.Effect<ActivityOutcome, never, WorkflowEngine.WorkflowInstance>;

/** The service that workflows use; `ask` runs an attempt of an activity, as `encoded` does. */
export const makeDecodingEngine = (
  encoded: WorkflowEngine.Encoded,
  ask: Ask,
): WorkflowEngine.WorkflowEngine["Service"] => {
  const engine = WorkflowEngine.makeUnsafe(encoded);
  const activityExecute: typeof engine.activityExecute = (activity, attempt) =>
    Effect.flatMap(ask(activity, attempt), (outcome) =>
      Exit.isExit(outcome) ? decodeResult(activity, outcome) : Effect.succeed(outcome),
    );
  return { ...engine, activityExecute };
};

/** Eager, where there is nothing to wait for: replays are mostly this. */
const decodeResult = <S extends Schema.Constraint, E extends Schema.Constraint, R>(
  activity: Activity.Activity<S, E, R>,
  exit: Exit.Exit<unknown, unknown>,
) =>
  Effect.mapEager(
    Exit.isSuccess(exit)
      ? Effect.mapEager(decodeSuccess(activity.successSchema, exit.value), Exit.succeed)
      : Effect.orDie(Schema.decodeUnknownEffect(activity.exitSchemaPartial)(exit)),
    (exit): Workflow.Result<S["Type"], E["Type"]> => new Workflow.Complete({ exit }),
  );
