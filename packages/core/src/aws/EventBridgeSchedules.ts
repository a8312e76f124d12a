/**
 * The scheduler seam on EventBridge Scheduler: one-time schedules that are gone once they have fired.
 *
 * The name makes creation idempotent while the schedule exists; once fired it is free again, and a late repetition
 * would fire once more. That is a duplicated hint, which the journal absorbs.
 *
 * Source: EventBridge Scheduler API reference 2021-06-30, CreateSchedule
 */
import type { SchedulerClientConfig } from "@aws-sdk/client-scheduler";
import { Effect, Layer } from "effect";
import {
  type ScheduledMessage,
  ScheduleRefused,
  Schedules,
  SchedulerUnavailable,
} from "../Schedules.ts";
import { awsFailure } from "./awsFailure.ts";
import type { SchedulerSettings } from "./createSchedule.ts";
import { lazyClient } from "./lazyClient.ts";

export { atExpression } from "./atExpression.ts";
export type { SchedulerSettings } from "./createSchedule.ts";

/** Schedules of the process's own AWS configuration, or of the one given. */
export const layerScheduler = (
  settings: SchedulerSettings,
  config: SchedulerClientConfig = {},
): Layer.Layer<Schedules> =>
  Layer.effect(
    Schedules,
    // Most executions wait for nothing, so most functions never need it.
    Effect.map(
      lazyClient(async () => (await import("./createSchedule.ts")).openScheduler(config)),
      (client) =>
        Schedules.of({
          create: (schedule) =>
            Effect.tryPromise({
              try: async () => {
                const { createSchedule } = await import("./createSchedule.ts");
                await createSchedule(await client(), settings, schedule);
              },
              catch: (cause) => failureOf(schedule, cause),
            }),
        }),
    ),
  );

const failureOf = ({ name, queue }: ScheduledMessage, cause: unknown) => {
  const failure = awsFailure(cause);
  return failure.failureClass === "permanent"
    ? new ScheduleRefused({ schedule: name, queue, reason: String(cause) })
    : new SchedulerUnavailable({ schedule: name, queue, ...failure });
};
