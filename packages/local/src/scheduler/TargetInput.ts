/**
 * What a schedule sends to its target: its own input with the keywords replaced, or the standard event.
 *
 * Source: EventBridge Scheduler user guide, "Adding context attributes"; CreateSchedule, Target.Input
 */
import { createHash, randomUUID } from "node:crypto";
import type { Delivery } from "../delivery/Outbox.ts";
import { localAccount } from "../LocalAccount.ts";
import { scheduleArn } from "./SchedulerNames.ts";
import type { Schedule } from "./SchedulerState.ts";

/** Whole seconds, as AWS writes them. */
const timeText = (epochMs: number): string => `${new Date(epochMs).toISOString().slice(0, 19)}Z`;

const executionId = (arn: string, scheduledMs: number): string =>
  createHash("sha256").update(`${arn}\n${scheduledMs}`).digest("hex").slice(0, 16);

/** The body of one firing; the number of the attempt is filled in by each attempt. */
export const inputOf = ({ group, name, target }: Schedule, scheduledMs: number): string => {
  const arn = scheduleArn(group, name);
  if (target.Input === undefined) return standardEvent(arn, scheduledMs);
  return target.Input.replaceAll("<aws.scheduler.schedule-arn>", arn)
    .replaceAll("<aws.scheduler.scheduled-time>", timeText(scheduledMs))
    .replaceAll("<aws.scheduler.execution-id>", executionId(arn, scheduledMs));
};

/** The body of the next attempt. */
export const attemptInput = ({ attempts, body }: Delivery): string =>
  body.replaceAll("<aws.scheduler.attempt-number>", String(attempts + 1));

const standardEvent = (arn: string, scheduledMs: number): string =>
  JSON.stringify({
    version: "0",
    id: randomUUID(),
    "detail-type": "Scheduled Event",
    source: "aws.scheduler",
    account: localAccount.accountId,
    time: timeText(scheduledMs),
    region: localAccount.region,
    resources: [arn],
    detail: "{}",
  });

/** What identifies a firing on a dead letter. */
export const firingAttributes = ({ sourceArn, takenMs }: Delivery) => ({
  SCHEDULE_ARN: sourceArn,
  SCHEDULED_TIME: timeText(takenMs),
  EXECUTION_ID: executionId(sourceArn, takenMs),
});
