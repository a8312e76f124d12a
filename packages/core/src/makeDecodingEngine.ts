/**
 * Effect's engine over an encoded one, with the success of an activity decoded by its own schema alone.
 *
 * Effect decodes it as a part of the whole exit, and the exit's schema is another one for every `Activity` object: a
 * body that makes its activities as it goes compiles one for each step, and at every replay again. The
 * success schema is the user's own, and compiled once.
 */
import { Effect, Exit, Schema } from "effect";
import { type Activity, Workflow, WorkflowEngine } from "effect/workflow";

/** The service that workflows use. */
export const makeDecodingEngine = (
  encoded: WorkflowEngine.Encoded,
): WorkflowEngine.WorkflowEngine["Service"] => {
  const engine = WorkflowEngine.makeUnsafe(encoded);
  const activityExecute: typeof engine.activityExecute = (activity, attempt) =>
    Effect.flatMap(encoded.activityExecute(activity, attempt), (result) =>
      result._tag === "Suspended" ? Effect.succeed(result) : decodeResult(activity, result.exit),
    );
  return { ...engine, activityExecute };
};

/** Eager, where there is nothing to wait for: replays are mostly this. */
const decodeResult = <S extends Schema.Constraint, E extends Schema.Constraint, R>(
  activity: Activity.Activity<S, E, R>,
  exit: Exit.Exit<unknown, unknown>,
) => {
  const decoded = Exit.isSuccess(exit)
    ? Effect.mapEager(decodeSuccess(activity.successSchema, exit.value ?? null), Exit.succeed)
    : Schema.decodeUnknownEffect(activity.exitSchemaPartial)(exit);
  return Effect.mapEager(
    Effect.catchEager(decoded, (error) => Effect.die(error)),
    (exit): Workflow.Result<S["Type"], E["Type"]> => new Workflow.Complete({ exit }),
  );
};

/** Effect keeps what it compiles by the schema's syntax tree, and that of a success is the same at every step. */
const decodeSuccess = <S extends Schema.Constraint>(schema: S, json: unknown) =>
  Schema.decodeUnknownEffect(Schema.toCodecJson(schema))(json);
