/**
 * An activity that is made only where it really runs.
 *
 * A body that runs again over its history asks for each recorded step again. To make an `Activity` for it (two schemas of its
 * exit, half a dozen effects) and to run that takes most of a replay's time, for a result that is known. This one looks
 * for the result first. Everything else is Effect's: what is not recorded, what failed, and every other engine.
 */
import { Context, Effect, Effectable, Schema, type Scope } from "effect";
import { Activity, type WorkflowEngine } from "effect/workflow";
import { decodeSuccess } from "./WorkflowCodec.ts";

/** What a recorded attempt succeeded with, as JSON; nothing where an `Activity` has to ask the engine. */
export type FindSuccess = (
  name: string,
  attempt: number,
) => { readonly value: unknown } | undefined;

/** How the body that runs here finds what is recorded of it. */
export const RecordedSuccesses = Context.Reference<FindSuccess | undefined>(
  "@millrace/core/RecordedSuccesses",
  { defaultValue: () => undefined },
);

type Options<R, S extends Schema.Constraint, E extends Schema.Constraint> = Parameters<
  typeof Activity.make<R, S, E>
>[0];

type WithSuccess<R, S extends Schema.Constraint, E extends Schema.Constraint> = Options<R, S, E> & {
  readonly success: S;
};

/** What an activity needs of those who run it: the engine gives the rest. */
type Needs<R> = Exclude<
  R,
  WorkflowEngine.WorkflowInstance | WorkflowEngine.WorkflowEngine | Scope.Scope
>;

/**
 * Makes an activity, as `Activity.make` does: the same options, the same value, the same history. A replayed step costs a fraction
 * (docs/benchmarks.md, "Replays").
 */
export function makeActivity<
  R,
  S extends Schema.Constraint,
  E extends Schema.Constraint = Schema.Never,
>(options: WithSuccess<R, S, E>): Activity.Activity<S, E, Needs<R>>;
export function makeActivity<R, E extends Schema.Constraint = Schema.Never>(
  options: Omit<Options<R, Schema.Void, E>, "success">,
): Activity.Activity<Schema.Void, E, Needs<R>>;
export function makeActivity<R, E extends Schema.Constraint>(
  options: Options<R, Schema.Void, E>,
): Activity.Activity<Schema.Void, E, Needs<R>> {
  return new ActivityInWaiting<R, Schema.Void, E>(
    hasSuccess(options) ? options : { ...options, success: Schema.Void },
  );
}

const hasSuccess = <R, S extends Schema.Constraint, E extends Schema.Constraint>(
  options: Options<R, S, E>,
): options is WithSuccess<R, S, E> => options.success !== undefined;

type Run<R, S extends Schema.Constraint, E extends Schema.Constraint> = Effect.Effect<
  S["Type"],
  E["Type"],
  Effect.Services<Activity.Activity<S, E, Needs<R>>>
>;

class ActivityInWaiting<R, S extends Schema.Constraint, E extends Schema.Constraint>
  extends Effectable.Class<S["Type"], E["Type"], Effect.Services<Activity.Activity<S, E, Needs<R>>>>
  implements Activity.Activity<S, E, Needs<R>>
{
  readonly "~effect/workflow/Activity" = "~effect/workflow/Activity";
  private readonly options: WithSuccess<R, S, E>;
  private madeOnce: Activity.Activity<S, E, Needs<R>> | undefined;

  constructor(options: WithSuccess<R, S, E>) {
    super();
    this.options = options;
  }

  asEffect(): Run<R, S, E> {
    return Effect.withFiber(({ context }): Run<R, S, E> => {
      const find = Context.get(context, RecordedSuccesses);
      const found = find?.(this.name, Context.get(context, Activity.CurrentAttempt));
      return found === undefined ? this.made : decodeSuccess(this.successSchema, found.value);
    });
  }

  annotate<I, V>(key: Context.Key<I, V>, value: V): Activity.Activity<S, E, Needs<R>> {
    return this.annotateMerge(Context.make(key, value));
  }

  annotateMerge<I>(more: Context.Context<I>): Activity.Activity<S, E, Needs<R>> {
    const annotations = Context.merge(this.annotations, more);
    return new ActivityInWaiting<R, S, E>({ ...this.options, annotations });
  }

  get name(): string {
    return this.options.name;
  }

  get successSchema(): S {
    return this.options.success;
  }

  get annotations(): Context.Context<never> {
    return this.options.annotations ?? Context.empty();
  }

  get errorSchema(): E {
    return this.made.errorSchema;
  }

  get exitSchema(): Activity.Activity<S, E>["exitSchema"] {
    return this.made.exitSchema;
  }

  get exitSchemaPartial(): Activity.Activity<S, E>["exitSchemaPartial"] {
    return this.made.exitSchemaPartial;
  }

  get execute(): Activity.Activity<S, E, Needs<R>>["execute"] {
    return this.made.execute;
  }

  get executeEncoded(): Activity.Activity<S, E, Needs<R>>["executeEncoded"] {
    return this.made.executeEncoded;
  }

  private get made(): Activity.Activity<S, E, Needs<R>> {
    this.madeOnce ??= Activity.make<R, S, E>(this.options);
    return this.madeOnce;
  }
}
