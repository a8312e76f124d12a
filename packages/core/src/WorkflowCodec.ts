/**
 * JSON forms of what passes through the engine: payloads, results and exits.
 *
 * What the engine is handed differs by kind (a payload and a workflow's result arrive decoded, an activity's result
 * and a deferred's exit are JSON inside a live `Exit`), so each kind has its codec here and nowhere else.
 */
import { Effect, Exit, Predicate, Schema } from "effect";
import { Workflow } from "effect/workflow";
import { maskJson } from "./Mask.ts";

const AnyOrVoid = Schema.Union([Schema.Undefined, Schema.Any]);

const ActivityResult = Schema.toCodecJson(
  Workflow.Result({ success: AnyOrVoid, error: AnyOrVoid }),
);
const DeferredExit = Schema.toCodecJson(Schema.Exit(AnyOrVoid, AnyOrVoid, Schema.Defect()));

const encodeExit = Schema.encodeSync(DeferredExit);

const encodeAnyResult = Schema.encodeSync(ActivityResult);

/** An activity's result, whose success and failure are JSON already; defects are made so here. */
export const encodeActivityResult = (result: Workflow.Result<unknown, unknown>): unknown =>
  // A success is JSON but for its wrapping, and by far the most common: not worth a schema's time.
  result._tag === "Complete" && Exit.isSuccess(result.exit)
    ? { _tag: "Complete", exit: { _tag: "Success", value: result.exit.value ?? null } }
    : encodeAnyResult(result);
const decodeAnyResult = Schema.decodeUnknownSync(ActivityResult);

/** The result again; a success without a value is encoded as null. */
export const decodeActivityResult = (json: unknown): Workflow.Result<unknown, unknown> =>
  isSuccess(json)
    ? new Workflow.Complete({ exit: Exit.succeed(json.exit.value ?? undefined) })
    : decodeAnyResult(json);

/** What a recorded result came to, without the wrapping: replays are mostly this. */
export const decodeActivityOutcome = (json: unknown): ActivityOutcome => {
  if (isSuccess(json)) return Exit.succeed(json.exit.value ?? undefined);
  const result = decodeAnyResult(json);
  return result._tag === "Complete" ? result.exit : result;
};

/** How an attempt of an activity came out; `Suspended` when it did not, yet. */
export type ActivityOutcome = Exit.Exit<unknown, unknown> | Workflow.Suspended;

/**
 * A recorded success as a value, by the success schema alone, which Effect compiles once: the schema of the whole exit is another
 * one for every `Activity`.
 */
export const decodeSuccess = <S extends Schema.Constraint>(
  schema: S,
  json: unknown,
): Effect.Effect<S["Type"], never, S["DecodingServices"]> =>
  Effect.catchEager(Schema.decodeUnknownEffect(Schema.toCodecJson(schema))(json ?? null), (error) =>
    Effect.die(error),
  );

/** Whether an encoded result is a success. */
export const isSuccess = (json: unknown): json is { readonly exit: { readonly value: unknown } } =>
  Predicate.hasProperty(json, "exit") &&
  Predicate.hasProperty(json.exit, "_tag") &&
  json.exit._tag === "Success" &&
  Predicate.hasProperty(json.exit, "value");

/** Whether an encoded result of an activity or a workflow is a failure. */
export const isFailedResult = (json: unknown): boolean =>
  Predicate.hasProperty(json, "exit") &&
  Predicate.hasProperty(json.exit, "_tag") &&
  json.exit._tag === "Failure";

/** The exit with which a deferred was completed. */
export const encodeDeferredExit = (exit: Exit.Exit<unknown, unknown>): unknown => {
  const json = encodeExit(exit);
  return Exit.isSuccess(exit) ? json : maskJson(json);
};
/** The encoded exit of what is just done: a clock, a child. */
export const doneExit: unknown = encodeDeferredExit(Exit.void);
export const decodeDeferredExit: (json: unknown) => Exit.Exit<unknown, unknown> =
  Schema.decodeUnknownSync(DeferredExit);

/** The codecs of one workflow's payload and result. */
export interface WorkflowCodec {
  readonly encodePayload: (payload: object) => Effect.Effect<unknown, Schema.SchemaError>;
  readonly decodePayload: (json: unknown) => Effect.Effect<object, Schema.SchemaError>;
  readonly encodeResult: (
    result: Workflow.Result<unknown, unknown>,
  ) => Effect.Effect<unknown, Schema.SchemaError>;
  readonly decodeResult: (
    json: unknown,
  ) => Effect.Effect<Workflow.Result<unknown, unknown>, Schema.SchemaError>;
}

type AnyCodec = Schema.Codec<unknown, unknown>;

/**
 * Makes the codecs of a workflow.
 *
 * `Workflow.Any` has forgotten its schemas' types and services. The services are those of the context in which the
 * workflow was registered, which runs every execution, so the codecs may be used there as if they needed none: this
 * is the one place where that is claimed.
 */
export const makeWorkflowCodec = (workflow: Workflow.Any): WorkflowCodec => {
  const made = codecs.get(workflow) ?? compileCodec(workflow);
  codecs.set(workflow, made);
  return made;
};

/** Compiling the schemas costs more than a small run: once per workflow. */
const codecs = new WeakMap<Workflow.Any, WorkflowCodec>();

const compileCodec = (workflow: Workflow.Any): WorkflowCodec => {
  const payload = Schema.toCodecJson(workflow.payloadSchema as unknown as AnyCodec);
  const result = Schema.toCodecJson(
    Workflow.Result({
      success: workflow.successSchema as unknown as AnyCodec,
      error: workflow.errorSchema as unknown as AnyCodec,
    }),
  );
  const encodeResult = Schema.encodeUnknownEffect(result);
  return {
    encodePayload: Schema.encodeUnknownEffect(payload),
    decodePayload: Schema.decodeUnknownEffect(payload) as WorkflowCodec["decodePayload"],
    encodeResult: (value) =>
      Effect.map(encodeResult(value), (json) =>
        value._tag === "Complete" && Exit.isSuccess(value.exit) ? json : maskJson(json),
      ),
    decodeResult: Schema.decodeUnknownEffect(result),
  };
};
