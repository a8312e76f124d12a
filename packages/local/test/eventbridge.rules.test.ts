/**
 * Goal: buses, rules and targets are managed as AWS documents it; what is not there is refused by name. Method: the
 * unmodified SDK client over the service, without a socket.
 */
import * as Sdk from "@aws-sdk/client-eventbridge";
import { assert, describe, it } from "@effect/vitest";
import { Effect } from "effect";
import { connect, eventsArn, queueArn, world } from "./busClient.ts";
import { call } from "./inProcess.ts";

const pattern = JSON.stringify({ source: ["acme"] });

describe("buses", () => {
  it.effect("a bus is made once, described, listed and deleted when it is empty", () =>
    Effect.gen(function* () {
      const { events, rule } = yield* connect;
      const create = call(() => events.send(new Sdk.CreateEventBusCommand({ Name: "mine" })));
      assert.strictEqual((yield* create).EventBusArn, eventsArn("event-bus/mine"));
      assert.strictEqual((yield* Effect.flip(create)).name, "ResourceAlreadyExistsException");
      const described = yield* call(() => events.send(new Sdk.DescribeEventBusCommand({})));
      assert.strictEqual(described.Arn, eventsArn("event-bus/default"));
      const { EventBuses } = yield* call(() => events.send(new Sdk.ListEventBusesCommand({})));
      assert.deepStrictEqual(
        EventBuses?.map(({ Name }) => Name),
        ["default", "mine"],
      );
      yield* rule("r", { source: ["a"] }, [{ Id: "1", Arn: queueArn("q") }], "mine");
      const remove = call(() => events.send(new Sdk.DeleteEventBusCommand({ Name: "mine" })));
      assert.strictEqual((yield* Effect.flip(remove)).name, "ValidationException");
      const named = { Rule: "r", EventBusName: "mine" };
      yield* call(() => events.send(new Sdk.RemoveTargetsCommand({ ...named, Ids: ["1"] })));
      yield* call(() =>
        events.send(new Sdk.DeleteRuleCommand({ Name: "r", EventBusName: "mine" })),
      );
      yield* remove;
      const gone = call(() => events.send(new Sdk.DescribeEventBusCommand({ Name: "mine" })));
      assert.strictEqual((yield* Effect.flip(gone)).name, "ResourceNotFoundException");
    }).pipe(Effect.provide(world)),
  );
});

describe("rules", () => {
  it.effect("a rule keeps its targets when it is put again, and cannot be deleted with them", () =>
    Effect.gen(function* () {
      const { events, rule } = yield* connect;
      yield* rule("r", { source: ["a"] }, [{ Id: "1", Arn: queueArn("q") }]);
      const put = new Sdk.PutRuleCommand({ Name: "r", EventPattern: pattern, State: "DISABLED" });
      assert.strictEqual((yield* call(() => events.send(put))).RuleArn, eventsArn("rule/r"));
      const described = yield* call(() => events.send(new Sdk.DescribeRuleCommand({ Name: "r" })));
      assert.strictEqual(described.EventPattern, pattern);
      assert.strictEqual(described.State, "DISABLED");
      const { Targets } = yield* call(() =>
        events.send(new Sdk.ListTargetsByRuleCommand({ Rule: "r" })),
      );
      assert.deepStrictEqual(Targets, [{ Id: "1", Arn: queueArn("q") }]);
      const byTarget = new Sdk.ListRuleNamesByTargetCommand({ TargetArn: queueArn("q") });
      assert.deepStrictEqual((yield* call(() => events.send(byTarget))).RuleNames, ["r"]);
      const remove = call(() => events.send(new Sdk.DeleteRuleCommand({ Name: "r" })));
      assert.strictEqual((yield* Effect.flip(remove)).name, "ValidationException");
    }).pipe(Effect.provide(world)),
  );

  it.effect("an invalid pattern is refused with its reason", () =>
    Effect.gen(function* () {
      const { events } = yield* connect;
      const put = new Sdk.PutRuleCommand({ Name: "r", EventPattern: '{"source":"acme"}' });
      const error = yield* Effect.flip(call(() => events.send(put)));
      assert.strictEqual(error.name, "InvalidEventPatternException");
      assert.include(error.message, "source: must be an object or a list of values");
    }).pipe(Effect.provide(world)),
  );

  it.effect("ListRules pages in the order of names", () =>
    Effect.gen(function* () {
      const { events, rule } = yield* connect;
      yield* Effect.forEach(["b", "a", "c"], (name) =>
        rule(name, { source: ["x"] }, [{ Id: "1", Arn: queueArn("q") }]),
      );
      const list = (input: Sdk.ListRulesCommandInput) =>
        call(() => events.send(new Sdk.ListRulesCommand(input)));
      const first = yield* list({ Limit: 2 });
      assert.deepStrictEqual(
        first.Rules?.map(({ Name }) => Name),
        ["a", "b"],
      );
      const { NextToken = "" } = first;
      const second = yield* list({ Limit: 2, NextToken });
      assert.deepStrictEqual(
        second.Rules?.map(({ Name }) => Name),
        ["c"],
      );
      assert.isUndefined(second.NextToken);
    }).pipe(Effect.provide(world)),
  );

  it.effect("TestEventPattern answers, and asks for a whole event", () =>
    Effect.gen(function* () {
      const { events } = yield* connect;
      const test = (Event: object) =>
        call(() =>
          events.send(
            new Sdk.TestEventPatternCommand({
              EventPattern: pattern,
              Event: JSON.stringify(Event),
            }),
          ),
        );
      const event = {
        id: "1",
        account: "1",
        source: "acme",
        time: "t",
        region: "r",
        resources: [],
      };
      assert.isTrue((yield* test({ ...event, "detail-type": "d" })).Result);
      assert.isFalse((yield* test({ ...event, "detail-type": "d", source: "x" })).Result);
      assert.strictEqual((yield* Effect.flip(test(event))).name, "ValidationException");
    }).pipe(Effect.provide(world)),
  );

  it.effect("schedules and unknown operations are refused by name", () =>
    Effect.gen(function* () {
      const { events } = yield* connect;
      const schedule = new Sdk.PutRuleCommand({ Name: "r", ScheduleExpression: "rate(1 minute)" });
      const refused = yield* Effect.flip(call(() => events.send(schedule)));
      assert.deepStrictEqual([refused.status, refused.name], [501, "NotImplemented"]);
      assert.include(refused.message, "ScheduleExpression");
      const unknown = yield* Effect.flip(call(() => events.send(new Sdk.ListEndpointsCommand({}))));
      assert.strictEqual(unknown.status, 501);
      assert.include(unknown.message, "ListEndpoints");
    }).pipe(Effect.provide(world)),
  );
});

describe("targets", () => {
  const queue = { Id: "1", Arn: queueArn("q") };
  const template = (InputTemplate: string, InputPathsMap: Record<string, string> = {}) => ({
    ...queue,
    InputTransformer: { InputTemplate, InputPathsMap },
  });

  it.effect.each([
    [
      "a function",
      { Id: "1", Arn: "arn:aws:lambda:us-east-1:000000000000:function:f" },
      "NotImplemented",
    ],
    ["another bus", { Id: "1", Arn: eventsArn("event-bus/x") }, "NotImplemented"],
    ["text that is no ARN", { Id: "1", Arn: "queue" }, "ValidationException"],
    ["SqsParameters", { ...queue, SqsParameters: { MessageGroupId: "g" } }, "NotImplemented"],
    ["two inputs", { ...queue, Input: "{}", InputPath: "$" }, "ValidationException"],
    ["an input that is no JSON", { ...queue, Input: "{" }, "ValidationException"],
    ["a path with a filter", { ...queue, InputPath: "$..x" }, "ValidationException"],
    ["a path with a wildcard", { ...queue, InputPath: "$.detail.list[*].x" }, "NotImplemented"],
    [
      "a placeholder as a key",
      template('{"a": {"x <b>" : 1}}', { b: "$.source" }),
      "ValidationException",
    ],
    ["a template with an unknown name", template('{"a": <b>}'), "ValidationException"],
    ["a template key AWS.x", template('{"a": <AWS.x>}', { "AWS.x": "$" }), "ValidationException"],
    ["a template that is no JSON", template('{"a": }'), "ValidationException"],
    [
      "186 retries",
      { ...queue, RetryPolicy: { MaximumRetryAttempts: 186 } },
      "ValidationException",
    ],
    [
      "an age of 59 s",
      { ...queue, RetryPolicy: { MaximumEventAgeInSeconds: 59 } },
      "ValidationException",
    ],
    [
      "a FIFO dead-letter queue",
      { ...queue, DeadLetterConfig: { Arn: queueArn("d.fifo") } },
      "ValidationException",
    ],
  ] as const)("PutTargets refuses %s", ([, target, expected]) =>
    Effect.gen(function* () {
      const { events } = yield* connect;
      yield* call(() => events.send(new Sdk.PutRuleCommand({ Name: "r", EventPattern: pattern })));
      const put = new Sdk.PutTargetsCommand({ Rule: "r", Targets: [target] });
      assert.strictEqual((yield* Effect.flip(call(() => events.send(put)))).name, expected);
    }).pipe(Effect.provide(world)),
  );

  it.effect("a rule has at most five targets, and must exist", () =>
    Effect.gen(function* () {
      const { events, rule } = yield* connect;
      const six = Array.from({ length: 6 }, (_, n) => ({ Id: `t${n}`, Arn: queueArn("q") }));
      const error = yield* Effect.flip(rule("r", { source: ["a"] }, six));
      assert.strictEqual(error.name, "LimitExceededException");
      const put = new Sdk.PutTargetsCommand({ Rule: "none", Targets: [queue] });
      assert.strictEqual(
        (yield* Effect.flip(call(() => events.send(put)))).name,
        "ResourceNotFoundException",
      );
    }).pipe(Effect.provide(world)),
  );
});
