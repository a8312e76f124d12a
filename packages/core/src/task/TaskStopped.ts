/**
 * ECS's event about a task, and the part of it that is a fact for whoever waits.
 *
 * Source: Amazon ECS developer guide, "Amazon ECS task state change events"
 */
import { Schema } from "effect";
import { readStartedBy, type TaskAddress } from "./TaskAddress.ts";
import type { TaskEnd } from "./TaskEnd.ts";

/** The event as EventBridge delivers it; fields that AWS adds are let through. */
export const TaskStateEnvelope = Schema.Struct({
  source: Schema.Literal("aws.ecs"),
  "detail-type": Schema.Literal("ECS Task State Change"),
  detail: Schema.Struct({
    taskArn: Schema.String,
    lastStatus: Schema.String,
    startedBy: Schema.optionalKey(Schema.String),
    stopCode: Schema.optionalKey(Schema.String),
    stoppedReason: Schema.optionalKey(Schema.String),
    containers: Schema.optionalKey(
      Schema.Array(
        Schema.Struct({
          exitCode: Schema.optionalKey(Schema.Int),
          reason: Schema.optionalKey(Schema.String),
        }),
      ),
    ),
  }),
});

export interface TaskStopped {
  readonly task: string;
  readonly address: TaskAddress;
  readonly end: TaskEnd;
}

/** What an event tells; nothing when the task goes on, or is not one of ours. */
export const taskStoppedOf = ({
  detail,
}: typeof TaskStateEnvelope.Type): TaskStopped | undefined => {
  const { containers = [], lastStatus, startedBy = "", stopCode, stoppedReason, taskArn } = detail;
  const address = readStartedBy(startedBy);
  if (lastStatus !== "STOPPED" || !address) return undefined;
  // Of several containers the first that failed says why.
  const container = containers.find(({ exitCode }) => exitCode !== 0) ?? containers[0];
  const reasons = [stoppedReason, container?.reason].filter((reason) => reason !== undefined);
  return {
    task: taskArn,
    address,
    end: {
      toldBy: "ecs",
      ...(container?.exitCode !== undefined && { exitCode: container.exitCode }),
      ...(stopCode !== undefined && { stopCode }),
      ...(reasons.length > 0 && { reason: reasons.join("; ") }),
    },
  };
};
