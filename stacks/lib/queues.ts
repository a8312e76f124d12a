/**
 * The queues of a pipeline: its own, what that gave up on, and what could not be delivered to it.
 *
 * Every one has exactly one policy, because the last policy of a queue replaces those before it.
 */
import {
  deadLetterRetentionSeconds,
  type PipelineBase,
  visibilityTimeouts,
} from "@millrace/workflows/topology";
import { logicalName, stage } from "../stage";
import { allowRule, denyInsecureTransport } from "./policies";

/** Waits this long for a message before it answers that there is none: fewer empty receives to pay for. */
const longPollSeconds = 20;

const makeQueue = (name: string, settings: Partial<aws.sqs.QueueArgs>) =>
  new sst.aws.Queue(name, {
    transform: {
      queue: (queue) => {
        Object.assign(queue, {
          sqsManagedSseEnabled: true,
          receiveWaitTimeSeconds: longPollSeconds,
          ...settings,
        });
      },
    },
  });

export const makeQueues = (pipeline: PipelineBase) => {
  const logical = logicalName(pipeline.name);
  const kept = { messageRetentionSeconds: deadLetterRetentionSeconds };
  const deadLetters = makeQueue(`${logical}DeadLetters`, kept);
  const undelivered = makeQueue(`${logical}Undelivered`, kept);
  const main = makeQueue(`${logical}Queue`, {
    visibilityTimeoutSeconds: visibilityTimeouts * pipeline.compute.timeoutSeconds,
    messageRetentionSeconds: pipeline.queue.retentionSeconds,
    redrivePolicy: $jsonStringify({
      deadLetterTargetArn: deadLetters.arn,
      maxReceiveCount: stage.receiveCountMax(pipeline.queue.receiveCountMax),
    }),
  });
  // Only its own queue may give up to it.
  new aws.sqs.RedriveAllowPolicy(`${logical}DeadLettersSource`, {
    queueUrl: deadLetters.url,
    redriveAllowPolicy: $jsonStringify({
      redrivePermission: "byQueue",
      sourceQueueArns: [main.arn],
    }),
  });
  return { main, deadLetters, undelivered };
};

export type PipelineQueues = ReturnType<typeof makeQueues>;

/** Lets the pipeline's rules in, to its queue and to what could not be delivered there. */
export const admitRules = (
  pipeline: PipelineBase,
  queues: PipelineQueues,
  ruleArns: ReadonlyArray<$util.Input<string>>,
): void => {
  for (const [role, queue] of Object.entries(queues)) {
    const senders =
      role === "deadLetters" ? [] : ruleArns.map((ruleArn) => allowRule(queue.arn, ruleArn));
    new aws.sqs.QueuePolicy(`${logicalName(pipeline.name)}${logicalName(role)}Policy`, {
      queueUrl: queue.url,
      policy: $jsonStringify({
        Version: "2012-10-17",
        Statement: [...senders, denyInsecureTransport("sqs:*", queue.arn)],
      }),
    });
  }
};
