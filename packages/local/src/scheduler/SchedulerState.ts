/**
 * Everything that the scheduler knows: groups, schedules, and what has fired and is to be delivered.
 */
import { Effect, Schema } from "effect";
import type { DatabaseSync } from "node:sqlite";
import type { AwsError } from "../AwsError.ts";
import { Outbox } from "../delivery/Outbox.ts";
import { Documents } from "../Documents.ts";
import { notFound } from "./SchedulerErrors.ts";
import { defaultGroup, scheduleKey } from "./SchedulerNames.ts";

const optional = Schema.optionalKey(Schema.String);

const Group = Schema.Struct({
  name: Schema.String,
  createdMs: Schema.Finite,
  modifiedMs: Schema.Finite,
  clientToken: optional,
});
export type Group = typeof Group.Type;

/** A target as CreateSchedule takes it and GetSchedule shows it. */
export const Target = Schema.Struct({
  Arn: Schema.String,
  RoleArn: Schema.String,
  Input: optional,
  DeadLetterConfig: Schema.optionalKey(Schema.Struct({ Arn: optional })),
  RetryPolicy: Schema.optionalKey(
    Schema.Struct({
      MaximumEventAgeInSeconds: Schema.optionalKey(Schema.Int),
      MaximumRetryAttempts: Schema.optionalKey(Schema.Int),
    }),
  ),
});
export type Target = typeof Target.Type;

export const FlexibleTimeWindow = Schema.Struct({
  Mode: Schema.Literals(["OFF", "FLEXIBLE"]),
  MaximumWindowInMinutes: Schema.optionalKey(Schema.Int),
});

export const ScheduleState = Schema.Literals(["ENABLED", "DISABLED"]);
export const ActionAfterCompletion = Schema.Literals(["NONE", "DELETE"]);

const Schedule = Schema.Struct({
  name: Schema.String,
  group: Schema.String,
  description: optional,
  expression: Schema.String,
  timeZone: Schema.String,
  startMs: Schema.optionalKey(Schema.Finite),
  endMs: Schema.optionalKey(Schema.Finite),
  state: ScheduleState,
  window: FlexibleTimeWindow,
  action: ActionAfterCompletion,
  target: Target,
  clientToken: optional,
  createdMs: Schema.Finite,
  modifiedMs: Schema.Finite,
  /** The firing that comes next, and when in its window it does; none when the schedule is complete. */
  next: Schema.optionalKey(Schema.Struct({ scheduledMs: Schema.Finite, dueMs: Schema.Finite })),
});
export type Schedule = typeof Schedule.Type;

export class SchedulerState {
  readonly database: DatabaseSync;
  readonly groups: Documents<Group>;
  readonly schedules: Documents<Schedule>;
  readonly outbox: Outbox;

  constructor(database: DatabaseSync) {
    const table = "scheduler_documents";
    this.database = database;
    this.groups = new Documents(database, { table, kind: "group" }, Group);
    this.schedules = new Documents(database, { table, kind: "schedule" }, Schedule);
    this.outbox = new Outbox(database, "scheduler_outbox");
    if (!this.groups.get(defaultGroup)) {
      this.groups.put(defaultGroup, { name: defaultGroup, createdMs: 0, modifiedMs: 0 });
    }
  }

  /** Fails: ResourceNotFoundException. */
  needGroup(name: string): Effect.Effect<Group, AwsError> {
    const found = this.groups.get(name);
    return found
      ? Effect.succeed(found)
      : Effect.fail(notFound(`Schedule group ${name} does not exist.`));
  }

  /** Fails: ResourceNotFoundException. */
  needSchedule(group: string, name: string): Effect.Effect<Schedule, AwsError> {
    const found = this.schedules.get(scheduleKey(group, name));
    return found
      ? Effect.succeed(found)
      : Effect.fail(notFound(`Schedule ${name} does not exist.`));
  }

  put(schedule: Schedule): void {
    this.schedules.put(scheduleKey(schedule.group, schedule.name), schedule);
  }

  remove({ group, name }: Schedule): void {
    this.schedules.delete(scheduleKey(group, name));
  }
}
