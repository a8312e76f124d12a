/**
 * What EventBridge Scheduler's client is asked for, apart from EventBridgeSchedules: loaded when the first schedule is made.
 *
 * Source: EventBridge Scheduler API reference 2021-06-30, CreateSchedule
 */
import {
  CreateScheduleCommand,
  SchedulerClient,
  type SchedulerClientConfig,
} from "@aws-sdk/client-scheduler";
import type { ScheduledMessage } from "../Schedules.ts";
import { atExpression } from "./atExpression.ts";
import { isNamed } from "./awsFailure.ts";

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

/** A client that somebody closes. */
export const openScheduler = (config: SchedulerClientConfig): SchedulerClient =>
  new SchedulerClient({
    requestHandler: {
      requestTimeout: requestTimeoutMs,
      // Else the time-out is only logged.
      throwOnRequestTimeout: true,
      connectionTimeout: connectionTimeoutMs,
    },
    ...config,
  });

/** Makes the schedule, or finds it made. */
export const createSchedule = async (
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
    if (!isNamed(error, "ConflictException")) throw error;
  });
};
