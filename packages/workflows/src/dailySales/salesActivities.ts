/**
 * The first step of DailySales: is the file one of sales, and where is it transformed?
 */
import { type ObjectCreated, Tasks } from "@millrace/core";
import { Effect, Schema } from "effect";
import { chooseCompute, ComputeChoice, withoutTask } from "../compute/chooseCompute.ts";
import { computeRulesOf } from "../compute/computeRulesOf.ts";
import { CsvFailure } from "../csv/CsvFailure.ts";
import { sniffObject } from "../csvToParquet/activities.ts";
import type { CsvPipelinePlan } from "../csvToParquet/CsvPipelineOptions.ts";
import { pipelines } from "../topology.ts";

/** The verdict on a file, and for a valid one the choice between function and task. */
export const Verdict = Schema.Union([
  Schema.Struct({ isValid: Schema.Literal(true), route: ComputeChoice }),
  Schema.Struct({ isValid: Schema.Literal(false), reason: Schema.String }),
]);
export type Verdict = typeof Verdict.Type;

const isInvalid = Schema.is(CsvFailure);

/** Looks at the file's beginning; a file that is not one of sales is an answer, and no failure. */
export const judge = Effect.fnUntraced(function* (
  object: ObjectCreated,
  startedEpochMs: number,
  plan: CsvPipelinePlan,
) {
  const { isAvailable } = yield* Tasks;
  const rules = yield* computeRulesOf(pipelines.dailySales);
  const choice = chooseCompute({ bytes: object.sizeBytes }, rules);
  const route = isAvailable ? choice : withoutTask(choice);
  return yield* sniffObject(object, startedEpochMs, plan).pipe(
    Effect.as<Verdict>({ isValid: true, route }),
    Effect.catchIf(isInvalid, ({ message: reason }) =>
      Effect.succeed<Verdict>({ isValid: false, reason }),
    ),
  );
});

/** The file is not one of sales. */
export class InvalidSales extends Schema.TaggedError<InvalidSales>()("InvalidSales", {
  object: Schema.String,
  reason: Schema.String,
}) {
  readonly failureClass = "permanent";
  override get message(): string {
    return `${this.object} holds no sales: ${this.reason}; put it right and upload it again`;
  }
}
