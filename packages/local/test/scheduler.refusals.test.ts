/**
 * Goal: a schedule that is wrong is refused in AWS's words, one that AWS would take and the embedded one cannot by
 * name. Method: a table of changes to a good request, sent with the unmodified SDK client.
 */
import * as Sdk from "@aws-sdk/client-scheduler";
import { assert, describe, it } from "@effect/vitest";
import { Effect } from "effect";
import { call } from "./inProcess.ts";
import { connect, queueArn, RoleArn, schedulerArn, world } from "./schedulerClient.ts";

const target = { Arn: queueArn("q"), RoleArn };
const minute = 60_000;

type Change = Partial<Sdk.CreateScheduleCommandInput>;

const invalid: ReadonlyArray<readonly [string, Change, RegExp]> = [
  ["a name with a space", { Name: "a b" }, /at 'name' .* regular expression/u],
  ["a name of 65 characters", { Name: "n".repeat(65) }, /at 'name' .* 64/u],
  [
    "an unknown expression",
    { ScheduleExpression: "every day" },
    /Invalid Schedule Expression every day/u,
  ],
  [
    "a date that does not exist",
    { ScheduleExpression: "at(2026-02-30T00:00:00)" },
    /Invalid Schedule/u,
  ],
  ["a date without seconds", { ScheduleExpression: "at(2026-02-20T00:00)" }, /Invalid Schedule/u],
  ["a rate of nothing", { ScheduleExpression: "rate(0 minutes)" }, /Invalid Schedule/u],
  ["a rate in seconds", { ScheduleExpression: "rate(5 seconds)" }, /Invalid Schedule/u],
  [
    "a cron expression of five fields",
    { ScheduleExpression: "cron(0 9 * * ?)" },
    /Invalid Schedule/u,
  ],
  [
    "a cron expression with two days",
    { ScheduleExpression: "cron(0 9 1 * 2 *)" },
    /Invalid Schedule/u,
  ],
  ["a minute of 60", { ScheduleExpression: "cron(60 9 * * ? *)" }, /Invalid Schedule/u],
  ["an unknown time zone", { ScheduleExpressionTimezone: "Mars/Base" }, /Timezone Mars\/Base/u],
  [
    "a window of no length",
    { FlexibleTimeWindow: { Mode: "FLEXIBLE" } },
    /MaximumWindowInMinutes/u,
  ],
  [
    "a window that is off and has a length",
    { FlexibleTimeWindow: { Mode: "OFF", MaximumWindowInMinutes: 5 } },
    /MaximumWindowInMinutes/u,
  ],
  ["a role that is none", { Target: { ...target, RoleArn: "me" } }, /at 'target.roleArn'/u],
  ["a target that is no ARN", { Target: { ...target, Arn: "q" } }, /Arn is not in correct format/u],
  ["an empty input", { Target: { ...target, Input: "" } }, /at 'target.input'/u],
  [
    "186 retries",
    { Target: { ...target, RetryPolicy: { MaximumRetryAttempts: 186 } } },
    /'186' at 'target.retryPolicy.maximumRetryAttempts'/u,
  ],
  [
    "an age below a minute",
    { Target: { ...target, RetryPolicy: { MaximumEventAgeInSeconds: 59 } } },
    /maximumEventAgeInSeconds/u,
  ],
  [
    "an end before the start",
    { StartDate: new Date(2 * minute), EndDate: new Date(minute) },
    /EndDate/u,
  ],
];

const notThere: ReadonlyArray<readonly [string, Change, RegExp]> = [
  ["a KMS key", { KmsKeyArn: "arn:aws:kms:us-east-1:000000000000:key/a" }, /KmsKeyArn/u],
  ["a FIFO queue", { Target: { ...target, Arn: queueArn("q.fifo") } }, /q\.fifo/u],
  [
    "a message group",
    { Target: { ...target, SqsParameters: { MessageGroupId: "g" } } },
    /Target\.SqsParameters/u,
  ],
  [
    "another service",
    { Target: { ...target, Arn: "arn:aws:scheduler:::aws-sdk:sqs:sendMessage" } },
    /aws-sdk:sqs:sendMessage/u,
  ],
  [
    "another account",
    { Target: { ...target, Arn: "arn:aws:sqs:us-east-1:111111111111:q" } },
    /11111/u,
  ],
  ["the last day of a month", { ScheduleExpression: "cron(0 9 L * ? *)" }, /wildcard L/u],
];

describe("a request is refused", () => {
  it.effect.each(invalid)("as invalid: %s", ([, change, message]) =>
    Effect.gen(function* () {
      const { create, get } = yield* connect;
      const error = yield* Effect.flip(create(change));
      assert.deepStrictEqual([error.name, error.status], ["ValidationException", 400]);
      assert.match(error.message, message);
      assert.strictEqual((yield* Effect.flip(get())).name, "ResourceNotFoundException");
    }).pipe(Effect.provide(world)),
  );

  it.effect.each(notThere)("by name: %s", ([, change, message]) =>
    Effect.gen(function* () {
      const { create } = yield* connect;
      const error = yield* Effect.flip(create(change));
      assert.deepStrictEqual([error.name, error.status], ["NotImplemented", 501]);
      assert.match(error.message, message);
    }).pipe(Effect.provide(world)),
  );

  it.effect("by name: tags", () =>
    Effect.gen(function* () {
      const { client } = yield* connect;
      const Tags = [{ Key: "a", Value: "b" }];
      const ResourceArn = schedulerArn("schedule-group/default");
      for (const send of [
        () => client.send(new Sdk.TagResourceCommand({ ResourceArn, Tags })),
        () => client.send(new Sdk.CreateScheduleGroupCommand({ Name: "g", Tags })),
      ]) {
        assert.strictEqual((yield* Effect.flip(call<unknown>(send))).status, 501);
      }
    }).pipe(Effect.provide(world)),
  );
});
