/**
 * The scheduler seam on EventBridge Scheduler: one-time schedules that are gone once they have fired.
 *
 * The name makes creation idempotent while the schedule exists; once fired it is free again, and a late repetition
 * would fire once more. That is a duplicated hint, which the journal absorbs.
 *
 * Source: EventBridge Scheduler API reference 2021-06-30, CreateSchedule
 */
import {
  ConflictException,
  CreateScheduleCommand,
  SchedulerClient,
  type SchedulerClientConfig,
} from "@aws-sdk/client-scheduler";
import { Effect, Layer } from "effect";
import {
  type ScheduledMessage,
  ScheduleRefused,
  Schedules,
  SchedulerUnavailable,
} from "../Schedules.ts";
import { awsFailure } from "./awsFailure.ts";

/** Longest wait for one answer, in milliseconds: the run that asks is paid for while it waits. */
const requestTimeoutMs = 3_000;
const connectionTimeoutMs = 1_000;

/** How long and how often the scheduler tries a queue: its own maxima. After them the sweeper helps. */
const retryPolicy = { MaximumEventAgeInSeconds: 86_400, MaximumRetryAttempts: 185 };

export interface SchedulerSettings {
  /** The schedule group of this stage, which exists. */
  readonly groupName: string;
  /** The role that EventBridge Scheduler takes to send to the queue. */
  readonly roleArn: string;
  /** The ARNs of a queue and of where goes what could not be sent to it, by the queue's name in the topology. */
  readonly targetOf: (queue: string) => {
    readonly queueArn: string;
    readonly deadLetterArn: string;
  };
}

/** Schedules of the process's own AWS configuration, or of the one given. */
export const layerScheduler = (
  settings: SchedulerSettings,
  config: SchedulerClientConfig = {},
): Layer.Layer<Schedules> =>
  Layer.effect(
    Schedules,
    Effect.map(
      Effect.acquireRelease(
        Effect.sync(
          () =>
            new SchedulerClient({
              requestHandler: {
                requestTimeout: requestTimeoutMs,
                // Else the time-out is only logged.
                throwOnRequestTimeout: true,
                connectionTimeout: connectionTimeoutMs,
              },
              ...config,
            }),
        ),
        (client) => Effect.sync(() => client.destroy()),
      ),
      (client) =>
        Schedules.of({
          create: (schedule) =>
            Effect.tryPromise({
              try: () => create(client, settings, schedule),
              catch: (cause) => failureOf(schedule, cause),
            }),
        }),
    ),
  );

const create = async (
  client: SchedulerClient,
  { groupName, roleArn, targetOf }: SchedulerSettings,
  { atEpochMs, body, name, queue }: ScheduledMessage,
): Promise<void> => {
  const { deadLetterArn, queueArn } = targetOf(queue);
  const command = new CreateScheduleCommand({
    Name: name,
    GroupName: groupName,
    ScheduleExpression: atExpression(atEpochMs),
    ScheduleExpressionTimezone: "UTC",
    FlexibleTimeWindow: { Mode: "OFF" },
    ActionAfterCompletion: "DELETE",
    Target: {
      Arn: queueArn,
      RoleArn: roleArn,
      Input: body,
      DeadLetterConfig: { Arn: deadLetterArn },
      RetryPolicy: retryPolicy,
    },
  });
  await client.send(command).catch((error: unknown) => {
    // The same request was made before, by another process or by one whose answer was lost.
    if (!(error instanceof ConflictException)) throw error;
  });
};

/** The instant as a one-time expression: whole seconds, rounded up, because a timer must not fire early. */
export const atExpression = (epochMs: number): string =>
  `at(${new Date(Math.ceil(epochMs / 1_000) * 1_000).toISOString().slice(0, 19)})`;

const failureOf = ({ name, queue }: ScheduledMessage, cause: unknown) => {
  const failure = awsFailure(cause);
  return failure.failureClass === "permanent"
    ? new ScheduleRefused({ schedule: name, queue, reason: String(cause) })
    : new SchedulerUnavailable({ schedule: name, queue, ...failure });
};
