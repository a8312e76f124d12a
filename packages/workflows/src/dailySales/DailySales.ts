/**
 * A day's sales, as a workflow: Validate, then, if they are valid, Transform in a task, then Notify (requirement D2.5).
 *
 *   validate              is it a file of sales?  no: notify invalid data
 *   transform             in a container: an hour at most, tried twice more, after 60 and 120 seconds
 *   notify success        | notify invalid data | notify failure: on the topic, by the attribute `outcome`
 *
 * An invalid file is quarantined with its reason; a failure of either kind leaves a dead letter.
 */
import {
  announceLife,
  FargateTask,
  makeActivity,
  objectName,
  ReadFailure,
  Retry,
} from "@millrace/core";
import { Clock, type Duration, Effect, Layer, Schema } from "effect";
import { Workflow, WorkflowEngine } from "effect/workflow";
import { CsvObjectFailure, Transformed } from "../csvToParquet/activities.ts";
import type { CsvPipelinePlan } from "../csvToParquet/CsvPipelineOptions.ts";
import { transformTask } from "../csvToParquet/CsvTransformTask.ts";
import { transformParts } from "../csvToParquet/transformParts.ts";
import { objectKey, objectPayload, sameObject } from "../objectPayload.ts";
import { refuseInvalid } from "../refuseInvalid.ts";
import { pipelines } from "../topology.ts";
import { salesPlan } from "./Sale.ts";
import { InvalidSales, judge, Verdict } from "./salesActivities.ts";

const { dailySales } = pipelines;

export const DailySales = Workflow.make("DailySales", {
  payload: objectPayload,
  success: Transformed,
  error: Schema.Union([InvalidSales, CsvObjectFailure, FargateTask.TaskFailure]),
  idempotencyKey: objectKey,
  annotations: sameObject,
});

/** What its containers run. */
export const DailySalesTransform = transformTask(dailySales.task.workflow);

export interface DailySalesTimes {
  /** Of one attempt to transform. */
  readonly timeout: Duration.Input;
  readonly retry: Partial<Retry.RetryPolicy>;
}

/** An hour for each attempt; two more, after 60 and 120 seconds. */
const defaultTimes: DailySalesTimes = {
  timeout: "1 hour",
  retry: { attemptsMax: 3, baseMs: 60_000, factor: 2, capMs: 3_600_000, jitter: 0 },
};

const notifications = {
  success: "notify success",
  "invalid-data": "notify invalid data",
  failure: "notify failure",
} as const;
const nameOfEnd = (outcome: keyof typeof notifications) => notifications[outcome];

type Payload = typeof DailySales.payloadSchema.Type;

const body = (plan: CsvPipelinePlan, times: DailySalesTimes) =>
  Effect.fnUntraced(function* ({ object }: Payload) {
    const startedEpochMs = yield* Clock.currentTimeMillis;
    const { executionId: parent } = yield* WorkflowEngine.WorkflowInstance;
    const subject = objectName(object);
    return yield* Effect.gen(function* () {
      const sales = yield* makeActivity({
        name: "validate",
        success: Verdict,
        error: Schema.Union([CsvObjectFailure, ...ReadFailure.members]),
        execute: judge(object, startedEpochMs, plan),
      }).pipe(Retry.retryActivity());
      if (!sales.isValid) {
        return yield* new InvalidSales({ object: subject, reason: sales.reason });
      }
      return sales.route.compute === "fargate"
        ? yield* FargateTask.run(DailySalesTransform, {
            ...times,
            step: "transform",
            payload: { object, startedEpochMs, parent },
          })
        : yield* transformParts(object, startedEpochMs, plan);
    }).pipe(
      refuseInvalid(dailySales, object),
      announceLife({ pipeline: dailySales.name, subject, object, success: Transformed, nameOfEnd }),
    );
  });

const salesPlanInPlace = Effect.map(Effect.fromResult(salesPlan), (plan): CsvPipelinePlan => ({
  ...plan,
  place: { prefix: dailySales.trigger.prefix, root: "sales" },
}));

/** The workflow's code. Fails: ColumnUnsupported - `Sale` has a field that cannot be a column */
export const layerDailySalesWith = (times: DailySalesTimes) =>
  Layer.unwrap(Effect.map(salesPlanInPlace, (plan) => DailySales.toLayer(body(plan, times))));

/** The same, with the times of the requirement. */
export const layerDailySales = layerDailySalesWith(defaultTimes);

/** The code of its containers, with parts of another size than usual. Fails: ColumnUnsupported, as above */
export const layerDailySalesTransformWith = (
  parts: Pick<CsvPipelinePlan, "partRows" | "partsAboveBytes">,
) =>
  Layer.unwrap(
    Effect.map(salesPlanInPlace, (plan) =>
      DailySalesTransform.toLayer(({ object, startedEpochMs }) =>
        transformParts(object, startedEpochMs, { ...plan, ...parts }),
      ),
    ),
  );

/** The code of its containers. */
export const layerDailySalesTransform = layerDailySalesTransformWith({});
