/**
 * The wire operations on rules, and the test of a pattern. Rules match events; schedules are refused by name.
 *
 * Source: EventBridge API reference 2015-10-07
 */
import { EventPattern } from "@millrace/core";
import { Effect, Option, Schema } from "effect";
import type { JsonOperations } from "../http/AwsRequest.ts";
import { localAccount } from "../LocalAccount.ts";
import { eventOperation, invalidEvent, invalidPattern, limitExceeded } from "./EventErrors.ts";
import { ruleArn } from "./EventNames.ts";
import { compilePattern, ruleKey, type EventState, type Rule } from "./EventState.ts";
import { pageOf, Paging } from "./paging.ts";

const rulesMax = 300;
const optional = Schema.optionalKey(Schema.String);
const Named = { Name: Schema.String, EventBusName: optional };

const PutRule = Schema.Struct({
  ...Named,
  EventPattern: optional,
  State: Schema.optionalKey(Schema.Literals(["ENABLED", "DISABLED"])),
  Description: optional,
  RoleArn: optional,
});

export const ruleOperations = (state: EventState): JsonOperations => ({
  PutRule: eventOperation("PutRule", PutRule, (input) => putRule(state, input)),
  DescribeRule: eventOperation("DescribeRule", Schema.Struct(Named), ({ Name, EventBusName }) =>
    Effect.map(state.needRule(EventBusName, Name), (rule) => ({
      ...wireRule(rule),
      CreatedBy: localAccount.accountId,
    })),
  ),
  ListRules: eventOperation(
    "ListRules",
    Schema.Struct({ NamePrefix: optional, EventBusName: optional, ...Paging }),
    Effect.fnUntraced(function* ({ NamePrefix = "", EventBusName, ...paging }) {
      const rules = state.rulesOf(yield* state.needBus(EventBusName));
      const page = yield* pageOf(
        rules.filter(({ name }) => name.startsWith(NamePrefix)),
        ({ name }) => name,
        paging,
      );
      return { Rules: page.items.map(wireRule), ...page.next };
    }),
  ),
  EnableRule: eventOperation("EnableRule", Schema.Struct(Named), ({ Name, EventBusName }) =>
    Effect.map(state.needRule(EventBusName, Name), (rule) =>
      state.rules.put(ruleKey(rule.bus, rule.name), { ...rule, enabled: true }),
    ),
  ),
  DisableRule: eventOperation("DisableRule", Schema.Struct(Named), ({ Name, EventBusName }) =>
    Effect.map(state.needRule(EventBusName, Name), (rule) =>
      state.rules.put(ruleKey(rule.bus, rule.name), { ...rule, enabled: false }),
    ),
  ),
  DeleteRule: eventOperation(
    "DeleteRule",
    Schema.Struct({ ...Named, Force: Schema.optionalKey(Schema.Boolean) }),
    Effect.fnUntraced(function* ({ Name, EventBusName }) {
      const key = ruleKey(yield* state.needBus(EventBusName), Name);
      if ((state.rules.get(key)?.targets ?? []).length > 0) {
        return yield* invalidEvent("Rule can't be deleted since it has targets.");
      }
      state.rules.delete(key);
    }),
  ),
  TestEventPattern: eventOperation(
    "TestEventPattern",
    Schema.Struct({ EventPattern: Schema.String, Event: Schema.String }),
    Effect.fnUntraced(function* ({ EventPattern: pattern, Event }) {
      const { matches } = yield* EventPattern.compile(pattern).pipe(
        Effect.mapError(({ message }) => invalidPattern(message)),
      );
      if (Option.isNone(decodeEvent(Event))) {
        return yield* invalidEvent(
          `Parameter Event is not valid: it needs ${mandatory.join(", ")}.`,
        );
      }
      return { Result: matches(Event) };
    }),
  ),
});

const mandatory = [
  "id",
  "account",
  "source",
  "time",
  "region",
  "resources",
  "detail-type",
] as const;
const decodeEvent = Schema.decodeOption(
  Schema.fromJsonString(
    Schema.Struct({
      id: Schema.String,
      account: Schema.String,
      source: Schema.String,
      time: Schema.String,
      region: Schema.String,
      resources: Schema.Array(Schema.Unknown),
      "detail-type": Schema.String,
    }),
  ),
);

const putRule = Effect.fnUntraced(function* (state: EventState, input: typeof PutRule.Type) {
  const { Name, EventPattern: pattern, State = "ENABLED", Description, RoleArn } = input;
  const bus = yield* state.needBus(input.EventBusName);
  if (!/^[.\-_A-Za-z0-9]{1,64}$/.test(Name)) {
    return yield* invalidEvent(
      `Parameter Name ${Name} is not valid: 1 to 64 of letters, digits, . - _`,
    );
  }
  if (pattern === undefined) {
    return yield* invalidEvent(
      "Parameter(s) EventPattern or ScheduleExpression must be specified.",
    );
  }
  yield* compilePattern(pattern);
  const key = ruleKey(bus, Name);
  const before = state.rules.get(key);
  if (before === undefined && state.rulesOf(bus).length >= rulesMax) {
    return yield* limitExceeded(`Event bus ${bus} already has ${rulesMax} rules.`);
  }
  state.rules.put(key, {
    name: Name,
    bus,
    pattern,
    enabled: State === "ENABLED",
    ...(Description === undefined ? {} : { description: Description }),
    ...(RoleArn === undefined ? {} : { roleArn: RoleArn }),
    targets: before?.targets ?? [],
  });
  return { RuleArn: ruleArn(bus, Name) };
});

const wireRule = (rule: Rule) => ({
  Name: rule.name,
  Arn: ruleArn(rule.bus, rule.name),
  EventPattern: rule.pattern,
  State: rule.enabled ? "ENABLED" : "DISABLED",
  EventBusName: rule.bus,
  ...(rule.description === undefined ? {} : { Description: rule.description }),
  ...(rule.roleArn === undefined ? {} : { RoleArn: rule.roleArn }),
});
