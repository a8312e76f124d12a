/**
 * The wire operations on schedule groups. The default group is always there; a group goes with its schedules.
 *
 * Source: EventBridge Scheduler API reference 2021-06-30
 */
import { Clock, Effect, Schema } from "effect";
import type { JsonOperations } from "../http/AwsRequest.ts";
import { transaction } from "../sqlite.ts";
import { checkName } from "./checkSchedule.ts";
import { pageOf, Paging } from "./paging.ts";
import { conflict, invalid, schedulerOperation } from "./SchedulerErrors.ts";
import { defaultGroup, groupArn } from "./SchedulerNames.ts";
import type { Group, SchedulerState } from "./SchedulerState.ts";

const optional = Schema.optionalKey(Schema.String);

/** `changed` tells the worker that fires. */
export const groupOperations = (
  state: SchedulerState,
  changed: Effect.Effect<void>,
): JsonOperations => ({
  CreateScheduleGroup: schedulerOperation(
    "CreateScheduleGroup",
    Schema.Struct({ Name: Schema.String, ClientToken: optional }),
    Effect.fnUntraced(function* ({ ClientToken, Name }) {
      yield* checkName("name", Name);
      const found = state.groups.get(Name);
      const isAgain = found?.clientToken !== undefined && found.clientToken === ClientToken;
      if (found && !isAgain) return yield* conflict(`Schedule group ${Name} already exists.`);
      const nowMs = yield* Clock.currentTimeMillis;
      if (!found) {
        state.groups.put(Name, {
          name: Name,
          createdMs: nowMs,
          modifiedMs: nowMs,
          ...(ClientToken !== undefined && { clientToken: ClientToken }),
        });
      }
      return { ScheduleGroupArn: groupArn(Name) };
    }),
  ),
  GetScheduleGroup: schedulerOperation(
    "GetScheduleGroup",
    Schema.Struct({ Name: Schema.String }),
    Effect.fnUntraced(function* ({ Name }) {
      yield* checkName("name", Name);
      return described(yield* state.needGroup(Name));
    }),
  ),
  DeleteScheduleGroup: schedulerOperation(
    "DeleteScheduleGroup",
    Schema.Struct({ Name: Schema.String, ClientToken: optional }),
    Effect.fnUntraced(function* ({ Name }) {
      yield* checkName("name", Name);
      yield* state.needGroup(Name);
      if (Name === defaultGroup) return yield* invalid("Cannot delete default schedule group.");
      transaction(state.database, () => {
        for (const schedule of state.schedules.all()) {
          if (schedule.group === Name) state.remove(schedule);
        }
        state.groups.delete(Name);
      });
      yield* changed;
    }),
  ),
  ListScheduleGroups: schedulerOperation(
    "ListScheduleGroups",
    Schema.Struct({ NamePrefix: optional, ...Paging }),
    Effect.fnUntraced(function* ({ NamePrefix = "", ...paging }) {
      const wanted = state.groups.all().filter(({ name }) => name.startsWith(NamePrefix));
      const page = yield* pageOf(wanted, ({ name }) => name, paging);
      return { ScheduleGroups: page.items.map(described), ...page.next };
    }),
  ),
});

const described = ({ createdMs, modifiedMs, name }: Group) => ({
  Arn: groupArn(name),
  Name: name,
  State: "ACTIVE",
  CreationDate: createdMs / 1_000,
  LastModificationDate: modifiedMs / 1_000,
});
