/**
 * What the scheduler finds wrong with a schedule, in its own words, and the targets that are not here, by name.
 *
 * Source: EventBridge Scheduler API reference, CreateSchedule, and the constraints of its types
 */
import { Effect } from "effect";
import type { AwsError } from "../AwsError.ts";
import { functionName } from "../LocalFunctions.ts";
import { arnName } from "../sqs/QueueName.ts";
import { ageSecondsMax, attemptsMax } from "./firing.ts";
import { invalid, notImplemented } from "./SchedulerErrors.ts";
import type { Schedule, Target } from "./SchedulerState.ts";

const namePattern = "^[0-9a-zA-Z-_.]+$";
const rolePattern = String.raw`^arn:aws(-[a-z]+)?:iam::\d{12}:role\/[\w+=,.@\/-]+$`;
const queuePattern = String.raw`^arn:aws(-[a-z]+)?:sqs:[a-z0-9\-]+:\d{12}:[a-zA-Z0-9\-_]+$`;

interface Constraint {
  readonly member: string;
  readonly value: string | number | undefined;
  readonly pattern?: string;
  readonly lengthMax?: number;
  readonly from?: number;
  readonly to?: number;
}

const violation = ({ from, lengthMax, member, pattern, to, value }: Constraint) => {
  if (value === undefined) return undefined;
  const fails = (constraint: string) =>
    invalid(
      `1 validation error detected: Value '${value}' at '${member}' failed to satisfy constraint: ${constraint}`,
    );
  if (typeof value === "number") {
    if (from !== undefined && value < from) {
      return fails(`Member must have value greater than or equal to ${from}`);
    }
    return to !== undefined && value > to
      ? fails(`Member must have value less than or equal to ${to}`)
      : undefined;
  }
  if (lengthMax !== undefined && value.length > lengthMax) {
    return fails(`Member must have length less than or equal to ${lengthMax}`);
  }
  if (lengthMax !== undefined && value === "" && member !== "description") {
    return fails("Member must have length greater than or equal to 1");
  }
  return pattern !== undefined && !new RegExp(pattern, "u").test(value)
    ? fails(`Member must satisfy regular expression pattern: ${pattern}`)
    : undefined;
};

const check = (constraints: ReadonlyArray<Constraint>): Effect.Effect<void, AwsError> => {
  const found = constraints.map(violation).find((error) => error !== undefined);
  return found ? Effect.fail(found) : Effect.void;
};

/** A name, or a prefix of names, of a schedule or a group. */
export const checkName = (member: string, value: string | undefined) =>
  check([{ member, value, pattern: namePattern, lengthMax: 64 }]);

/** Checks everything but the expression, which is read. */
export const checkSchedule = Effect.fnUntraced(function* (
  schedule: Schedule,
): Effect.fn.Return<void, AwsError> {
  const { clientToken, description, endMs, startMs, target, window } = schedule;
  yield* checkName("name", schedule.name);
  yield* checkName("groupName", schedule.group);
  yield* check([
    { member: "description", value: description, lengthMax: 512 },
    { member: "scheduleExpression", value: schedule.expression, lengthMax: 256 },
    { member: "scheduleExpressionTimezone", value: schedule.timeZone, lengthMax: 50 },
    { member: "clientToken", value: clientToken, pattern: "^[a-zA-Z0-9-_]+$", lengthMax: 64 },
    {
      member: "flexibleTimeWindow.maximumWindowInMinutes",
      value: window.MaximumWindowInMinutes,
      from: 1,
      to: 1_440,
    },
  ]);
  if ((window.Mode === "FLEXIBLE") !== (window.MaximumWindowInMinutes !== undefined)) {
    return yield* invalid(
      window.Mode === "FLEXIBLE"
        ? "MaximumWindowInMinutes must be provided when FlexibleTimeWindow Mode is FLEXIBLE."
        : "MaximumWindowInMinutes must not be provided when FlexibleTimeWindow Mode is OFF.",
    );
  }
  if (startMs !== undefined && endMs !== undefined && endMs <= startMs) {
    return yield* invalid("The EndDate you specify must come after the StartDate.");
  }
  yield* checkTarget(target);
});

const checkTarget = Effect.fnUntraced(function* ({
  Arn,
  DeadLetterConfig,
  Input,
  RetryPolicy = {},
  RoleArn,
}: Target): Effect.fn.Return<void, AwsError> {
  yield* check([
    { member: "target.arn", value: Arn, lengthMax: 1_600 },
    { member: "target.roleArn", value: RoleArn, pattern: rolePattern, lengthMax: 1_600 },
    { member: "target.input", value: Input, lengthMax: Number.POSITIVE_INFINITY },
    { member: "target.deadLetterConfig.arn", value: DeadLetterConfig?.Arn, pattern: queuePattern },
    {
      member: "target.retryPolicy.maximumEventAgeInSeconds",
      value: RetryPolicy.MaximumEventAgeInSeconds,
      from: 60,
      to: ageSecondsMax,
    },
    {
      member: "target.retryPolicy.maximumRetryAttempts",
      value: RetryPolicy.MaximumRetryAttempts,
      from: 0,
      to: attemptsMax,
    },
  ]);
  if (!/^arn:[^:]*:[^:]+:[^:]*:[^:]*:.+$/u.test(Arn)) {
    return yield* invalid("Provided Arn is not in correct format.");
  }
  const queue = arnName(Arn);
  const isHere = queue === undefined ? functionName(Arn) !== undefined : !queue.endsWith(".fifo");
  if (!isHere) {
    return yield* notImplemented(
      `target ${Arn} (only standard SQS queues and Lambda functions of this account are)`,
    );
  }
});
