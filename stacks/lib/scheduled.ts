/**
 * A function that a schedule invokes: two more attempts, then a queue that keeps what failed; one schedule group each,
 * because the scheduler's role trusts a group.
 */
import { deadLetterRetentionSeconds, type ScheduledTopology } from "@millrace/workflows/topology";
import { makeSchedulerRole } from "../schedules";
import { named } from "../stage";
import { makeFunction } from "./functions";
import { denyInsecureTransport, type Right } from "./policies";

interface ScheduledSettings {
  /** Pascal case; begins the names of everything that is made. */
  readonly logical: string;
  /** Of the schedule group. */
  readonly group: { readonly logical: string; readonly name: string };
  readonly description: string;
  readonly topology: ScheduledTopology;
  readonly environment: Readonly<Record<string, $util.Input<string>>>;
  readonly rights: ReadonlyArray<Right>;
}

export const makeScheduled = (settings: ScheduledSettings) => {
  const { description, environment, logical, rights, topology } = settings;
  const failures = makeFailures(logical);
  const { fn, log } = makeFunction(logical, {
    description,
    handler: topology.handler,
    ...topology.compute,
    environment,
    rights: [...rights, { actions: ["sqs:SendMessage"], resources: [failures.arn] }],
  });
  // A schedule's invocations are asynchronous: two retries, then the queue.
  new aws.lambda.FunctionEventInvokeConfig(`${logical}Retries`, {
    functionName: fn.name,
    maximumRetryAttempts: 2,
    destinationConfig: { onFailure: { destination: failures.arn } },
  });
  const group = new aws.scheduler.ScheduleGroup(settings.group.logical, {
    name: named(settings.group.name),
  });
  const role = makeSchedulerRole(`${logical}Schedule`, group.arn, [
    { actions: ["lambda:InvokeFunction"], resources: [fn.arn] },
    { actions: ["sqs:SendMessage"], resources: [failures.arn] },
  ]);
  const schedule = new aws.scheduler.Schedule(`${logical}Schedule`, {
    name: named(topology.name),
    groupName: group.name,
    description,
    scheduleExpression: `rate(${topology.everyMinutes} minutes)`,
    flexibleTimeWindow: { mode: "OFF" },
    target: {
      arn: fn.arn,
      roleArn: role.arn,
      deadLetterConfig: { arn: failures.arn },
      retryPolicy: { maximumRetryAttempts: 2, maximumEventAgeInSeconds: 300 },
    },
  });
  return { fn, log, failures, schedule };
};

/** Runs that failed for good; the next one does their work, so they are only to be looked at. */
const makeFailures = (logical: string) => {
  const failures = new sst.aws.Queue(`${logical}Failures`, {
    transform: {
      queue: (queue) => {
        queue.messageRetentionSeconds = deadLetterRetentionSeconds;
        queue.sqsManagedSseEnabled = true;
      },
    },
  });
  new aws.sqs.QueuePolicy(`${logical}FailuresPolicy`, {
    queueUrl: failures.url,
    policy: $jsonStringify({
      Version: "2012-10-17",
      Statement: [denyInsecureTransport("sqs:*", failures.arn)],
    }),
  });
  return failures;
};
