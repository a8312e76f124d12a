/**
 * The sweeper: a schedule that invokes a function every few minutes, which asks again for what was forgotten.
 */
import { variables } from "@millrace/functions/Environment";
import { deadLetterRetentionSeconds } from "@millrace/workflows/topology";
import { makeFunction } from "./lib/functions";
import { denyInsecureTransport } from "./lib/policies";
import { pipelines } from "./pipelines";
import { makeSchedulerRole } from "./schedules";
import { named, stage } from "./stage";
import { tables } from "./tables";
import { topology } from "./topology";

const { compute, everyMinutes, handler } = topology.sweeper;

/** Sweeps that failed for good; the next sweep does their work, so they are only to be looked at. */
const failures = new sst.aws.Queue("SweeperFailures", {
  transform: {
    queue: (queue) => {
      queue.messageRetentionSeconds = deadLetterRetentionSeconds;
      queue.sqsManagedSseEnabled = true;
    },
  },
});
new aws.sqs.QueuePolicy("SweeperFailuresPolicy", {
  queueUrl: failures.url,
  policy: $jsonStringify({
    Version: "2012-10-17",
    Statement: [denyInsecureTransport("sqs:*", failures.arn)],
  }),
});

const queues = Object.values(pipelines).map(({ queues }) => queues.main);

const { fn, log } = makeFunction("Sweeper", {
  description: "asks again for executions that should have moved",
  handler,
  ...compute,
  environment: {
    [variables.journalTable]: tables.journal.name,
    [variables.executionsTable]: tables.executions.name,
    [variables.metricsNamespace]: stage.metricsNamespace,
    [variables.pipelineQueueUrls]: $jsonStringify(
      Object.fromEntries(
        Object.entries(pipelines).map(([name, { queues }]) => [name, queues.main.url]),
      ),
    ),
  },
  rights: [
    { actions: ["dynamodb:Query"], resources: [tables.journal.arn] },
    { actions: ["dynamodb:PutItem"], resources: [tables.executions.arn] },
    {
      actions: ["dynamodb:Query"],
      resources: [$interpolate`${tables.executions.arn}/index/byOpen`],
    },
    // Wakes; and whether the queue is paused, which its tags say.
    {
      actions: ["sqs:SendMessage", "sqs:ListQueueTags"],
      resources: queues.map(({ arn }) => arn),
    },
    { actions: ["sqs:SendMessage"], resources: [failures.arn] },
  ],
});

// Its schedules are asynchronous invocations: two retries, then the queue.
new aws.lambda.FunctionEventInvokeConfig("SweeperRetries", {
  functionName: fn.name,
  maximumRetryAttempts: 2,
  destinationConfig: { onFailure: { destination: failures.arn } },
});

const group = new aws.scheduler.ScheduleGroup("Sweeps", { name: named("sweeps") });

const role = makeSchedulerRole("SweeperSchedule", group.arn, [
  { actions: ["lambda:InvokeFunction"], resources: [fn.arn] },
  { actions: ["sqs:SendMessage"], resources: [failures.arn] },
]);

const schedule = new aws.scheduler.Schedule("SweeperSchedule", {
  name: named("sweeper"),
  groupName: group.name,
  description: "asks again for executions that should have moved",
  scheduleExpression: `rate(${everyMinutes} minutes)`,
  flexibleTimeWindow: { mode: "OFF" },
  target: {
    arn: fn.arn,
    roleArn: role.arn,
    deadLetterConfig: { arn: failures.arn },
    retryPolicy: { maximumRetryAttempts: 2, maximumEventAgeInSeconds: 300 },
  },
});

export const sweeper = { fn, log, failures, schedule };
