/**
 * The wire operations on schedules.
 *
 * Source: EventBridge Scheduler API reference 2021-06-30
 */
import { Clock, Effect, Schema } from "effect";
import type { JsonOperations } from "../http/AwsRequest.ts";
import { checkName, checkSchedule } from "./checkSchedule.ts";
import { ageSecondsMax, attemptsMax, withNext } from "./firing.ts";
import { pageOf, Paging } from "./paging.ts";
import { readExpression } from "./ScheduleExpression.ts";
import { conflict, schedulerOperation } from "./SchedulerErrors.ts";
import { defaultGroup, scheduleArn, scheduleKey } from "./SchedulerNames.ts";
import {
  ActionAfterCompletion,
  FlexibleTimeWindow,
  type Schedule,
  ScheduleState,
  type SchedulerState,
  Target,
} from "./SchedulerState.ts";

const optional = Schema.optionalKey(Schema.String);

const ScheduleInput = Schema.Struct({
  Name: Schema.String,
  GroupName: optional,
  Description: optional,
  ScheduleExpression: Schema.String,
  ScheduleExpressionTimezone: optional,
  /** Seconds since 1970. */
  StartDate: Schema.optionalKey(Schema.Finite),
  EndDate: Schema.optionalKey(Schema.Finite),
  State: Schema.optionalKey(ScheduleState),
  FlexibleTimeWindow,
  ActionAfterCompletion: Schema.optionalKey(ActionAfterCompletion),
  Target,
  ClientToken: optional,
});

/** `changed` tells the worker that fires. */
export const scheduleOperations = (
  state: SchedulerState,
  changed: Effect.Effect<void>,
): JsonOperations => ({
  CreateSchedule: schedulerOperation(
    "CreateSchedule",
    ScheduleInput,
    Effect.fnUntraced(function* (input) {
      const nowMs = yield* Clock.currentTimeMillis;
      const asked = scheduleOf(input, nowMs, nowMs);
      yield* checkSchedule(asked);
      const expression = yield* readExpression(asked.expression, asked.timeZone);
      yield* state.needGroup(asked.group);
      const arn = scheduleArn(asked.group, asked.name);
      const found = state.schedules.get(scheduleKey(asked.group, asked.name));
      if (found) {
        const isAgain = found.clientToken !== undefined && found.clientToken === asked.clientToken;
        if (isAgain) return { ScheduleArn: arn };
        return yield* conflict(`Schedule ${asked.name} already exists.`);
      }
      // What AWS does with an instant that has passed is not documented; here it fires at once, like one that is late.
      const afterMs = expression._tag === "At" ? Number.NEGATIVE_INFINITY : nowMs - 1;
      state.put(yield* withNext(asked, expression, afterMs));
      yield* changed;
      return { ScheduleArn: arn };
    }),
  ),
  UpdateSchedule: schedulerOperation(
    "UpdateSchedule",
    ScheduleInput,
    Effect.fnUntraced(function* (input) {
      const nowMs = yield* Clock.currentTimeMillis;
      const checked = scheduleOf(input, nowMs, nowMs);
      yield* checkSchedule(checked);
      const expression = yield* readExpression(checked.expression, checked.timeZone);
      const { createdMs } = yield* state.needSchedule(checked.group, checked.name);
      state.put(yield* withNext({ ...checked, createdMs }, expression, nowMs - 1));
      yield* changed;
      return { ScheduleArn: scheduleArn(checked.group, checked.name) };
    }),
  ),
  GetSchedule: schedulerOperation(
    "GetSchedule",
    Schema.Struct({ Name: Schema.String, GroupName: optional }),
    Effect.fnUntraced(function* ({ GroupName = defaultGroup, Name }) {
      yield* checkName("name", Name);
      return described(yield* state.needSchedule(GroupName, Name));
    }),
  ),
  DeleteSchedule: schedulerOperation(
    "DeleteSchedule",
    Schema.Struct({ Name: Schema.String, GroupName: optional, ClientToken: optional }),
    Effect.fnUntraced(function* ({ GroupName = defaultGroup, Name }) {
      yield* checkName("name", Name);
      state.remove(yield* state.needSchedule(GroupName, Name));
      yield* changed;
    }),
  ),
  ListSchedules: listSchedules(state),
});

const listSchedules = (state: SchedulerState) =>
  schedulerOperation(
    "ListSchedules",
    Schema.Struct({
      GroupName: optional,
      NamePrefix: optional,
      State: Schema.optionalKey(ScheduleState),
      ...Paging,
    }),
    Effect.fnUntraced(function* ({ GroupName, NamePrefix, State, ...paging }) {
      yield* checkName("namePrefix", NamePrefix);
      if (GroupName !== undefined) yield* state.needGroup(GroupName);
      const wanted = state.schedules
        .all()
        .filter(({ group }) => GroupName === undefined || group === GroupName)
        .filter(({ name }) => name.startsWith(NamePrefix ?? ""))
        .filter(({ state: is }) => State === undefined || is === State);
      const page = yield* pageOf(wanted, ({ group, name }) => scheduleKey(group, name), paging);
      return { Schedules: page.items.map(summaryOf), ...page.next };
    }),
  );

const scheduleOf = (
  input: typeof ScheduleInput.Type,
  createdMs: number,
  modifiedMs: number,
): Schedule => ({
  name: input.Name,
  group: input.GroupName ?? defaultGroup,
  expression: input.ScheduleExpression,
  timeZone: input.ScheduleExpressionTimezone ?? "UTC",
  state: input.State ?? "ENABLED",
  window: input.FlexibleTimeWindow,
  action: input.ActionAfterCompletion ?? "NONE",
  target: input.Target,
  createdMs,
  modifiedMs,
  ...(input.Description !== undefined && { description: input.Description }),
  ...(input.StartDate !== undefined && { startMs: input.StartDate * 1_000 }),
  ...(input.EndDate !== undefined && { endMs: input.EndDate * 1_000 }),
  ...(input.ClientToken !== undefined && { clientToken: input.ClientToken }),
});

const summaryOf = ({ createdMs, group, modifiedMs, name, state, target }: Schedule) => ({
  Arn: scheduleArn(group, name),
  Name: name,
  GroupName: group,
  State: state,
  CreationDate: createdMs / 1_000,
  LastModificationDate: modifiedMs / 1_000,
  Target: { Arn: target.Arn },
});

const described = (schedule: Schedule) => {
  const { action, description, endMs, expression, startMs, target, timeZone, window } = schedule;
  return {
    ...summaryOf(schedule),
    ScheduleExpression: expression,
    ScheduleExpressionTimezone: timeZone,
    FlexibleTimeWindow: window,
    ActionAfterCompletion: action,
    Target: {
      ...target,
      RetryPolicy: {
        MaximumEventAgeInSeconds: ageSecondsMax,
        MaximumRetryAttempts: attemptsMax,
        ...target.RetryPolicy,
      },
    },
    ...(description !== undefined && { Description: description }),
    ...(startMs !== undefined && { StartDate: startMs / 1_000 }),
    ...(endMs !== undefined && { EndDate: endMs / 1_000 }),
  };
};
