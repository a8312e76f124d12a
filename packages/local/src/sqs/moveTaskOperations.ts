/**
 * The wire operations on move tasks (redrive of a dead-letter queue).
 *
 * Source: SQS API reference 2012-11-05, StartMessageMoveTask
 */
import { Effect, Schema } from "effect";
import type { JsonOperations } from "../http/AwsRequest.ts";
import { operationsOf } from "../http/operation.ts";
import type { MoveTask, MoveTasks } from "./moveTasks.ts";
import { inputProblem, invalidParameter } from "./SqsErrors.ts";

const operation = operationsOf("SQS", inputProblem);
const listMax = 10;

export const moveTaskOperations = (tasks: MoveTasks): JsonOperations => ({
  StartMessageMoveTask: operation(
    "StartMessageMoveTask",
    Schema.Struct({
      SourceArn: Schema.String,
      DestinationArn: Schema.optionalKey(Schema.String),
      MaxNumberOfMessagesPerSecond: Schema.optionalKey(Schema.Int),
    }),
    ({ SourceArn, DestinationArn, MaxNumberOfMessagesPerSecond }) =>
      Effect.map(
        tasks.start(SourceArn, DestinationArn, MaxNumberOfMessagesPerSecond),
        ({ id }) => ({ TaskHandle: id }),
      ),
  ),
  ListMessageMoveTasks: operation(
    "ListMessageMoveTasks",
    Schema.Struct({ SourceArn: Schema.String, MaxResults: Schema.optionalKey(Schema.Int) }),
    Effect.fnUntraced(function* ({ SourceArn, MaxResults = 1 }) {
      if (MaxResults < 1 || MaxResults > listMax) {
        return yield* invalidParameter(
          `Value ${MaxResults} for parameter MaxResults is invalid. Must be between 1 and ${listMax}.`,
        );
      }
      return { Results: (yield* tasks.list(SourceArn, MaxResults)).map(wireTask) };
    }),
  ),
  CancelMessageMoveTask: operation(
    "CancelMessageMoveTask",
    Schema.Struct({ TaskHandle: Schema.String }),
    ({ TaskHandle }) =>
      Effect.map(tasks.cancel(TaskHandle), ({ moved }) => ({
        ApproximateNumberOfMessagesMoved: moved,
      })),
  ),
});

const wireTask = (task: MoveTask) => ({
  Status: task.status,
  SourceArn: task.source,
  ApproximateNumberOfMessagesMoved: task.moved,
  ApproximateNumberOfMessagesToMove: task.toMove,
  StartedTimestamp: task.startedMs,
  ...(task.status === "RUNNING" ? { TaskHandle: task.id } : {}),
  ...(task.destination === undefined ? {} : { DestinationArn: task.destination }),
  ...(task.perSecondMax === undefined ? {} : { MaxNumberOfMessagesPerSecond: task.perSecondMax }),
  ...(task.failure === undefined ? {} : { FailureReason: task.failure }),
});
