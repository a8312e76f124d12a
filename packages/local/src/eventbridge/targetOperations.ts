/**
 * The wire operations on the targets of rules: SQS standard queues and SNS topics; others are refused by name.
 *
 * Source: EventBridge API reference 2015-10-07, PutTargets
 */
import { Effect, Schema } from "effect";
import { AwsError, unknownParameter } from "../AwsError.ts";
import type { JsonOperations } from "../http/AwsRequest.ts";
import { arnName } from "../sqs/QueueName.ts";
import { eventOperation, invalidEvent, limitExceeded } from "./EventErrors.ts";
import { ruleKey, Target, type EventState } from "./EventState.ts";
import { pageOf, Paging } from "./paging.ts";
import { inputFault, wildcardPath } from "./TargetInput.ts";
import { ageSecondsDefault, attemptsDefault } from "./ingest.ts";

const targetsMax = 5;
const ageSecondsMin = 60;
const optional = Schema.optionalKey(Schema.String);
const OfRule = { Rule: Schema.String, EventBusName: optional };

export const targetOperations = (state: EventState): JsonOperations => ({
  PutTargets: eventOperation(
    "PutTargets",
    Schema.Struct({ ...OfRule, Targets: Schema.Array(Target) }),
    Effect.fnUntraced(function* ({ Rule, EventBusName, Targets }) {
      const rule = yield* state.needRule(EventBusName, Rule);
      if (Targets.length === 0) return yield* invalidEvent("Parameter Targets must not be empty.");
      yield* Effect.forEach(Targets, checkTarget, { discard: true });
      const targets = new Map(rule.targets.map((target) => [target.Id, target]));
      for (const target of Targets) targets.set(target.Id, target);
      if (targets.size > targetsMax) {
        return yield* limitExceeded(`Rule ${Rule} would have more than ${targetsMax} targets.`);
      }
      state.rules.put(ruleKey(rule.bus, rule.name), { ...rule, targets: [...targets.values()] });
      return { FailedEntryCount: 0, FailedEntries: [] };
    }),
  ),
  RemoveTargets: eventOperation(
    "RemoveTargets",
    Schema.Struct({
      ...OfRule,
      Ids: Schema.Array(Schema.String),
      Force: Schema.optionalKey(Schema.Boolean),
    }),
    Effect.fnUntraced(function* ({ Rule, EventBusName, Ids }) {
      const rule = yield* state.needRule(EventBusName, Rule);
      const targets = rule.targets.filter(({ Id }) => !Ids.includes(Id));
      state.rules.put(ruleKey(rule.bus, rule.name), { ...rule, targets });
      const known = new Set(rule.targets.map(({ Id }) => Id));
      const failed = Ids.filter((id) => !known.has(id)).map((TargetId) => ({
        TargetId,
        ErrorCode: "ResourceNotFoundException",
        ErrorMessage: `Rule '${Rule}' does not have a target with the Id '${TargetId}'.`,
      }));
      return { FailedEntryCount: failed.length, FailedEntries: failed };
    }),
  ),
  ListTargetsByRule: eventOperation(
    "ListTargetsByRule",
    Schema.Struct({ ...OfRule, ...Paging }),
    Effect.fnUntraced(function* ({ Rule, EventBusName, ...paging }) {
      const { targets } = yield* state.needRule(EventBusName, Rule);
      const sorted = targets.toSorted((left, right) => (left.Id < right.Id ? -1 : 1));
      const page = yield* pageOf(sorted, ({ Id }) => Id, paging);
      return { Targets: page.items, ...page.next };
    }),
  ),
  ListRuleNamesByTarget: eventOperation(
    "ListRuleNamesByTarget",
    Schema.Struct({ TargetArn: Schema.String, EventBusName: optional, ...Paging }),
    Effect.fnUntraced(function* ({ TargetArn, EventBusName, ...paging }) {
      const rules = state.rulesOf(yield* state.needBus(EventBusName));
      const page = yield* pageOf(
        rules.filter(({ targets }) => targets.some(({ Arn }) => Arn === TargetArn)),
        ({ name }) => name,
        paging,
      );
      return { RuleNames: page.items.map(({ name }) => name), ...page.next };
    }),
  ),
});

const checkTarget = Effect.fnUntraced(function* (target: Target): Effect.fn.Return<void, AwsError> {
  const { Id, Arn, DeadLetterConfig, RetryPolicy = {} } = target;
  if (!/^[.\-_A-Za-z0-9]{1,64}$/.test(Id)) {
    return yield* invalidEvent(
      `Parameter Id ${Id} is not valid: 1 to 64 of letters, digits, . - _`,
    );
  }
  yield* checkArn(Arn);
  const deadLetter = DeadLetterConfig?.Arn;
  if (deadLetter !== undefined && !isStandardQueue(deadLetter)) {
    return yield* invalidEvent(
      `Parameter DeadLetterConfig.Arn ${deadLetter} is not valid: it must be a standard queue in this region.`,
    );
  }
  const { MaximumRetryAttempts = 0, MaximumEventAgeInSeconds = ageSecondsMin } = RetryPolicy;
  if (MaximumRetryAttempts < 0 || MaximumRetryAttempts > attemptsDefault) {
    return yield* invalidEvent(`MaximumRetryAttempts must be between 0 and ${attemptsDefault}.`);
  }
  if (MaximumEventAgeInSeconds < ageSecondsMin || MaximumEventAgeInSeconds > ageSecondsDefault) {
    return yield* invalidEvent(
      `MaximumEventAgeInSeconds must be between ${ageSecondsMin} and ${ageSecondsDefault}.`,
    );
  }
  const wildcard = wildcardPath(target);
  if (wildcard !== undefined) {
    return yield* unknownParameter("EventBridge", "PutTargets", `wildcard path ${wildcard}`);
  }
  const fault = inputFault(target);
  if (fault !== undefined) return yield* invalidEvent(fault);
});

const isStandardQueue = (arn: string): boolean =>
  arnName(arn) !== undefined && !arn.endsWith(".fifo");

const checkArn = (arn: string): Effect.Effect<void, AwsError> => {
  if (!/^arn:[^:]*:[^:]+:[^:]*:[^:]*:.+$/.test(arn)) {
    return Effect.fail(
      invalidEvent(`Parameter ${arn} is not valid. Reason: Provided Arn is not in correct format.`),
    );
  }
  if (isStandardQueue(arn) || (arn.startsWith("arn:aws:sns:") && !arn.endsWith(".fifo"))) {
    return Effect.void;
  }
  return Effect.fail(
    new AwsError({
      code: "NotImplemented",
      message: `EventBridge: target ${arn} of PutTargets is not implemented by the embedded AWS (only standard SQS queues and SNS topics of this account are)`,
      status: 501,
    }),
  );
};
